// SPDX-License-Identifier: Apache-2.0
//
// What one source address may use up: open sessions, and lines or rows written
// down each minute. No I/O and no clock of its own.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace verifier {

// Counts open sessions, in all and by source.
class SessionCounts {
 public:
  enum class Admission { kAdmitted, kTooMany, kTooManyOfSource };

  SessionCounts(size_t most, size_t most_of_source)
      : most_(most), most_of_source_(most_of_source) {}

  // kAdmitted is undone by Leave.
  Admission Enter(const std::string& source);
  void Leave(const std::string& source);
  size_t open() const { return open_; }

 private:
  size_t most_;
  size_t most_of_source_;
  size_t open_ = 0;
  std::map<std::string, size_t> by_source_;
};

// At most `per_source` of each source and `in_all` a minute; the rest are only
// counted. It remembers no more than `in_all` sources.
class MinuteLimit {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  MinuteLimit(size_t per_source, size_t in_all)
      : per_source_(per_source), in_all_(in_all) {}

  bool Allow(const std::string& source, Instant now);
  // How many were not allowed since the last call.
  uint64_t TakeDropped();

 private:
  size_t per_source_;
  size_t in_all_;
  Instant start_{};
  size_t allowed_ = 0;
  uint64_t dropped_ = 0;
  std::map<std::string, size_t> by_source_;
};

}  // namespace verifier
