// SPDX-License-Identifier: Apache-2.0
//
// The addresses of one VM's endpoints that are given by name.
//
// The system's lookup cannot be interrupted, and all VMs share one thread for
// it. So a VM has one under way at most, whatever became of the stream that
// asked. The last good answer serves for kFresh, and after that for as long as
// the name service hangs or fails.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "asio.hpp"

namespace host_proxy {

class NameLookup final : public std::enable_shared_from_this<NameLookup> {
 public:
  using Time = std::chrono::steady_clock::time_point;
  struct Answer {
    asio::error_code error;
    std::vector<asio::ip::address> addresses;  // Empty if and only if `error`.
  };
  using Done = std::function<void(Answer)>;
  // Calls `done` once, later.
  using Resolve = std::function<void(const std::string& host, Done done)>;
  static constexpr std::chrono::seconds kFresh{30};
  static constexpr std::chrono::seconds kFailureFresh{1};

  explicit NameLookup(Resolve resolve);

  // What is known of `host`, which is one of the configuration's: nothing yet
  // (ask again soon), addresses, or that it has none.
  std::optional<Answer> Ask(const std::string& host,
                            Time now = std::chrono::steady_clock::now());

 private:
  struct Host {
    std::vector<asio::ip::address> good;
    std::optional<Answer> last;
    Time asked;
  };
  void Start(const std::string& host, Time now);

  const Resolve resolve_;
  std::map<std::string, Host> hosts_;
  bool under_way_ = false;
};

// getaddrinfo, in Asio's thread for it.
NameLookup::Resolve SystemResolve(asio::io_context& io);

}  // namespace host_proxy
