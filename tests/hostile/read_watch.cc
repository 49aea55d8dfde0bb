// SPDX-License-Identifier: Apache-2.0
#include "tests/hostile/read_watch.h"

#include <utility>

#include "absl/strings/str_format.h"

namespace hostile {
namespace {

bool Has(Renewal all, Renewal one) {
  return (static_cast<uint8_t>(all) & static_cast<uint8_t>(one)) != 0;
}

}  // namespace

ReadWatch::ReadWatch(std::vector<SharedPlace> places)
    : places_(std::move(places)), marks_(places_.size()) {
  for (size_t i = 0; i < places_.size(); ++i) {
    marks_[i].read.resize(places_[i].size);
  }
}

std::optional<size_t> ReadWatch::PlaceOf(uint64_t gpa) const {
  for (size_t i = places_.size(); i-- > 0;) {
    if (gpa - places_[i].gpa < places_[i].size) return i;
  }
  return std::nullopt;
}

std::optional<std::string> ReadWatch::Read(uint64_t gpa, size_t size) {
  RenewBy(Renewal::kLook, gpa, size);
  std::optional<size_t> counted;
  for (uint64_t at = gpa; at < gpa + size; ++at) {
    const std::optional<size_t> index = PlaceOf(at);
    if (!index.has_value()) {
      return absl::StrFormat("a shared page that has no name is read at %#x",
                             at);
    }
    const SharedPlace& place = places_[*index];
    Marks& marks = marks_[*index];
    const uint64_t byte = at - place.gpa;
    if (counted != index) ++marks.reads;
    counted = index;
    if (place.renewal == Renewal::kAnyTime) continue;
    if (place.renewal == Renewal::kNever) {
      return absl::StrFormat("%s is read at +%#x (%#x)", place.name, byte, at);
    }
    if (marks.read[byte]) {
      return absl::StrFormat("%s is read a second time at +%#x (%#x)",
                             place.name, byte, at);
    }
    marks.read[byte] = true;
    marks.set.push_back(byte);
  }
  return std::nullopt;
}

void ReadWatch::Forget(Marks& marks) {
  for (const uint64_t byte : marks.set) marks.read[byte] = false;
  marks.set.clear();
}

void ReadWatch::Renew(Renewal because) {
  for (size_t i = 0; i < places_.size(); ++i) {
    if (Has(places_[i].renewal, because)) Forget(marks_[i]);
  }
}

void ReadWatch::RenewBy(Renewal because, uint64_t gpa, size_t size) {
  for (size_t i = 0; i < places_.size(); ++i) {
    const SharedPlace::By& by = places_[i].renewed_by;
    if (Has(places_[i].renewal, because) && gpa < by.gpa + by.size &&
        gpa + size > by.gpa) {
      Forget(marks_[i]);
    }
  }
}

void ReadWatch::Stored(uint64_t gpa, size_t size) {
  RenewBy(Renewal::kStore, gpa, size);
}

void ReadWatch::Exited(Cause cause) {
  Renew(Renewal::kAnyExit);
  if (cause == Cause::kFwCfg) Renew(Renewal::kFwCfg);
  if (cause == Cause::kGuestRequest || cause == Cause::kExtendedRequest) {
    Renew(Renewal::kRequest);
  }
}

void ReadWatch::Paused() { Renew(Renewal::kPause); }

bool ReadWatch::Polled(uint64_t gpa) const {
  const std::optional<size_t> index = PlaceOf(gpa);
  return index.has_value() && (Has(places_[*index].renewal, Renewal::kPause) ||
                               places_[*index].renewal == Renewal::kAnyTime);
}

uint64_t ReadWatch::reads(const std::string& name) const {
  for (size_t i = 0; i < places_.size(); ++i) {
    if (places_[i].name == name) return marks_[i].reads;
  }
  return 0;
}

}  // namespace hostile
