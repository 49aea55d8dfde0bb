// SPDX-License-Identifier: Apache-2.0
//
// The lines that an operator reads: one for each phase of each VM's boot.
//
//   vm1: started (0.012 s)
//   vm1: refused: not_authorised, decision 00112233445566778899aabbccddeeff
//   vm1: failed: PC4 the proxy does not answer
//
// All of it is the guest's claim. A guest that talks too much is cut off, so
// that one VM cannot fill the log of the others.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "proto/channel.h"

namespace host_proxy {

// The line for one report, without the label.
std::string FormatProgress(const proto::channel::Progress& progress);

class VmLog {
 public:
  using Sink = std::function<void(std::string_view line)>;
  using Time = std::chrono::steady_clock::time_point;
  static constexpr int kLinesPerMinute = 60;

  VmLog(std::string label, Sink sink);
  // Writes "LABEL: what", unless there were too many in this minute.
  void Line(std::string_view what, Time now = std::chrono::steady_clock::now());

 private:
  const std::string label_;
  const Sink sink_;
  Time minute_start_{};
  int lines_ = 0;
};

}  // namespace host_proxy
