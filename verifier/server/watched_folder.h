// SPDX-License-Identifier: Apache-2.0
//
// WatchedFolder: the imported certificates and revocation lists of a server
// that runs, read again when the folder changes. AMD replaces its lists about
// every six weeks; no restart for that.
#pragma once

#include <chrono>
#include <ctime>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "verifier/endorsements/endorsements.h"
#include "verifier/ossl/ossl.h"

namespace verifier {

class WatchedFolder {
 public:
  using Log = std::function<void(std::string_view)>;

  // VS19: LoadFolder() cannot use it. `interval`: see Current().
  static absl::StatusOr<WatchedFolder> Open(std::string folder,
                                            std::chrono::milliseconds interval,
                                            Log log);

  // What the folder had at the last look. Looks if that was `interval` ago, and
  // reads the files if their names, sizes or times differ. In a state that
  // cannot be used, or with nothing in it any more, the old set stays; the log
  // says so, once for each such state.
  std::shared_ptr<const Endorsements> Current();
  // Now, whether it looks changed or not.
  void ReadAgain();

 private:
  WatchedFolder(std::string folder, std::chrono::milliseconds interval, Log log)
      : folder_(std::move(folder)), interval_(interval), log_(std::move(log)) {}

  // What shows without reading the files.
  struct Sight {
    ossl::Digest256 state{};
    time_t newest = 0;
  };
  Sight LookAt() const;
  absl::Status Read(const Sight& sight);
  std::string Describe() const;

  std::string folder_;
  std::chrono::milliseconds interval_;
  Log log_;
  std::shared_ptr<const Endorsements> current_ =
      std::make_shared<const Endorsements>();
  ossl::Digest256 fingerprint_{};
  std::chrono::steady_clock::time_point looked_;
  ossl::Digest256 seen_{};
  // A file may change again within one tick of the file system's clock.
  bool settled_ = false;
  std::string last_error_;
};

}  // namespace verifier
