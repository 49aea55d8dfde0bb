// SPDX-License-Identifier: Apache-2.0
//
// The guest of the hostile hypervisor's tests: the image, configured by the
// owner of this process, and the host's files for it.
#pragma once

#include <stdint.h>

#include <functional>
#include <string>
#include <vector>

#include "launch/launch_plan.h"
#include "machine/stop_reason.h"
#include "proto/config.h"
#include "tests/hostile/owner.h"

namespace hostile {

using machine::SymbolTable;

class Guest {
 public:
  struct Changes {
    std::function<void(proto::Config&)> config;
    // What the host launches instead of what the owner measured.
    std::function<void(launch::LaunchPlan&)> plan;
  };
  explicit Guest(const Changes& changes = {});

  const launch::LaunchPlan& plan() const { return plan_; }
  const SymbolTable& symbols() const { return symbols_; }
  const std::vector<uint8_t>& kernel() const { return kernel_; }
  const std::vector<uint8_t>& initrd() const { return initrd_; }
  const std::string& command_line() const { return command_line_; }
  // Makes the owner accept this guest, and no other.
  void Accept() const;

 private:
  launch::LaunchPlan plan_;
  sev::LaunchDigest measurement_{};
  SymbolTable symbols_;
  std::vector<uint8_t> kernel_, initrd_;
  std::string command_line_;
};

// From here on random numbers are those of the `number`th guest of this
// process: the same in each run of a test.
void SeedGuest(uint64_t number);

// The owner of all guests of this process. The first call seeds OpenSSL.
Owner& TheOwner();
// An image without changes, made once.
const Guest& PlainGuest();

// Where the payload of Guest::kernel() begins, and its entry behind that.
inline constexpr uint64_t kKernelPayload = 40 * 512, kKernelEntry = 0x200;

}  // namespace hostile
