// SPDX-License-Identifier: Apache-2.0
#include "verifier/server/watched_folder.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/bytes.h"
#include "hosted/files.h"
#include "hosted/text.h"
#include "verifier/endorsements/folder.h"
#include "verifier/finding.h"
#include "verifier/reasons.h"

namespace verifier {
namespace {

constexpr time_t kSettleSeconds = 2;
constexpr size_t kMaxEntries = 64 * 1024;

void Absorb(ossl::Sha256& hash, uint64_t number) {
  std::array<uint8_t, 8> bytes;
  base::StoreLe<uint64_t>(number, bytes);
  hash.Update(bytes);
}

uint64_t Nanoseconds(const timespec& time) {
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 +
         static_cast<uint64_t>(time.tv_nsec);
}

}  // namespace

absl::StatusOr<WatchedFolder> WatchedFolder::Open(
    std::string folder, std::chrono::milliseconds interval, Log log) {
  WatchedFolder opened(std::move(folder), interval, std::move(log));
  const absl::Status read = opened.Read(opened.LookAt());
  if (!read.ok()) return read;
  opened.log_(opened.Describe());
  return opened;
}

WatchedFolder::Sight WatchedFolder::LookAt() const {
  const auto paths = hosted::EntriesBelow(folder_, kMaxEntries);
  Sight sight;
  ossl::Sha256 hash;
  Absorb(hash, static_cast<uint64_t>(paths.status().raw_code()));
  if (!paths.ok()) hash.Update(ossl::AsBytes(paths.status().message()));
  const std::vector<std::string> none;
  for (const std::string& path : paths.ok() ? *paths : none) {
    struct stat status = {};
    if (stat(path.c_str(), &status) != 0) status = {};
    Absorb(hash, path.size());
    hash.Update(ossl::AsBytes(path));
    for (const uint64_t number :
         {static_cast<uint64_t>(status.st_dev),
          static_cast<uint64_t>(status.st_ino),
          static_cast<uint64_t>(status.st_size), Nanoseconds(status.st_mtim),
          Nanoseconds(status.st_ctim)}) {
      Absorb(hash, number);
    }
    sight.newest = std::max(sight.newest, status.st_ctim.tv_sec);
  }
  sight.state = hash.Finish();
  return sight;
}

std::shared_ptr<const Endorsements> WatchedFolder::Current() {
  const auto now = std::chrono::steady_clock::now();
  if (now - looked_ < interval_) return current_;
  // Before reading: what changes meanwhile is seen at the next look.
  const Sight sight = LookAt();
  if (settled_ && sight.state == seen_) {
    looked_ = now;
    return current_;
  }
  const auto before = current_;
  const absl::Status read = Read(sight);
  if (!read.ok()) {
    if (read.message() != last_error_) {
      log_(hosted::Printable(absl::StrCat(
          "kept the certificates that there were: ", read.message())));
    }
    last_error_ = read.message();
  } else {
    last_error_.clear();
    if (before != current_) log_(Describe());
  }
  return current_;
}

void WatchedFolder::ReadAgain() {
  const absl::Status read = Read(LookAt());
  log_(read.ok()
           ? Describe()
           : hosted::Printable(absl::StrCat(
                 "kept the certificates that there were: ", read.message())));
}

absl::Status WatchedFolder::Read(const Sight& sight) {
  looked_ = std::chrono::steady_clock::now();
  seen_ = sight.state;
  settled_ = sight.newest + kSettleSeconds < time(nullptr);
  auto loaded = LoadFolder(folder_);
  if (!loaded.ok()) {
    return Error(kAuthoritiesUnusable, loaded.status().code(),
                 loaded.status().message());
  }
  const auto empty = [](const Endorsements& of) {
    return of.leaves().empty() && of.issuers().empty() && of.lists().empty();
  };
  if (empty(*loaded) && !empty(*current_)) {
    return Error(kAuthoritiesUnusable, absl::StatusCode::kNotFound,
                 absl::StrCat(folder_, ": nothing is left in it"));
  }
  const ossl::Digest256 fingerprint = loaded->Fingerprint();
  if (fingerprint != fingerprint_) {
    current_ = std::make_shared<const Endorsements>(*std::move(loaded));
    fingerprint_ = fingerprint;
  }
  return absl::OkStatus();
}

std::string WatchedFolder::Describe() const {
  std::string text = absl::StrCat(
      folder_, ": ", current_->leaves().size() + current_->issuers().size(),
      " certificates, ", current_->lists().size(), " revocation lists");
  std::optional<time_t> until;
  for (const Endorsements::HeldList& held : current_->lists()) {
    const time_t next = held.list->crl.next_update().value_or(0);
    until = std::min(until.value_or(next), next);
  }
  if (until) {
    absl::StrAppend(
        &text, " until ",
        absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::FromTimeT(*until),
                         absl::UTCTimeZone()));
  }
  return hosted::Printable(text);
}

}  // namespace verifier
