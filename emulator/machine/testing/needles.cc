// SPDX-License-Identifier: Apache-2.0
#include "emulator/machine/testing/needles.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <algorithm>
#include <utility>

namespace emulator::machine::testing {
namespace {

constexpr size_t kPage = 4096;

template <typename T>
T Load(const uint8_t* at) {
  T value;
  memcpy(&value, at, sizeof(value));
  return value;
}

}  // namespace

void Needles::Add(std::string name, base::Bytes secret) {
  // Zeros are skipped, so no window may begin with them.
  if (secret.size() < kWindow) abort();
  for (size_t at = 0; at + kWindow <= secret.size(); at += 8) {
    if (Load<uint64_t>(&secret[at]) == 0) abort();
    starts_.set(Load<uint16_t>(&secret[at]));
  }
  secrets_.push_back({std::move(name), {secret.begin(), secret.end()}});
}

std::vector<Needles::Hit> Needles::FindIn(base::Bytes memory) const {
  std::vector<Hit> hits;
  if (memory.size() < kWindow) return hits;
  const uint8_t* const begin = memory.data();
  const size_t last = memory.size() - kWindow;
  for (size_t at = 0; at <= last; ++at) {
    if (Load<uint64_t>(begin + at) == 0) {
      at += 7;
      continue;
    }
    if (!starts_[Load<uint16_t>(begin + at)]) continue;
    for (size_t i = 0; i < secrets_.size(); ++i) {
      const std::vector<uint8_t>& secret = secrets_[i].bytes;
      for (size_t from = 0; from + kWindow <= secret.size(); from += 8) {
        if (memcmp(begin + at, &secret[from], kWindow) != 0) continue;
        const bool whole =
            from == 0 && memory.size() - at >= secret.size() &&
            memcmp(begin + at, secret.data(), secret.size()) == 0;
        hits.push_back({.index = i, .offset = at, .whole = whole});
      }
    }
  }
  return hits;
}

std::vector<size_t> Needles::CountIn(base::Bytes memory) const {
  std::vector<size_t> counts(secrets_.size());
  for (const Hit& hit : FindIn(memory)) counts[hit.index] += hit.whole ? 1 : 0;
  return counts;
}

std::vector<base::Bytes> ResidentParts(base::Bytes memory) {
  std::vector<base::Bytes> parts;
  if (memory.empty()) return parts;
  std::vector<unsigned char> resident((memory.size() + kPage - 1) / kPage);
  // EDGE: mincore asks for a pointer that is not const, and changes nothing.
  if (mincore(const_cast<uint8_t*>(memory.data()), memory.size(),
              resident.data()) != 0) {
    return {memory};
  }
  for (size_t page = 0; page < resident.size();) {
    if ((resident[page] & 1) == 0) {
      ++page;
      continue;
    }
    const size_t first = page;
    while (page < resident.size() && (resident[page] & 1) != 0) ++page;
    const size_t end = std::min(page * kPage, memory.size());
    parts.push_back(memory.subspan(first * kPage, end - first * kPage));
  }
  return parts;
}

}  // namespace emulator::machine::testing
