// SPDX-License-Identifier: Apache-2.0
//
// Why a guest left for its hypervisor. The budget of design section 9 counts
// exits by these.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <string_view>

namespace machine {

// Columns: constant, name in traces, whether the budget leaves it aside.
#define FORELOCK_EXIT_CAUSES(X)                         \
  X(kUnknown, "unknown", false)                         \
  X(kSevInfo, "sev-info", false)                        \
  X(kFeatures, "features", false)                       \
  X(kPreferredGhcb, "preferred-ghcb", false)            \
  X(kGhcbRegistration, "ghcb-registration", true)       \
  X(kPageState, "page-state", true)                     \
  X(kCpuid, "cpuid", false)                             \
  X(kMsr, "msr", false)                                 \
  X(kInstruction, "instruction", false)                 \
  X(kMmio, "mmio", false)                               \
  X(kConsole, "console", true)                          \
  X(kFwCfg, "fw-cfg", true)                             \
  X(kChannelRegistration, "channel-registration", true) \
  X(kDoorbell, "doorbell", false)                       \
  X(kReadBack, "read-back", false)                      \
  X(kOtherPort, "port", false)                          \
  X(kGuestRequest, "guest-request", false)              \
  X(kExtendedRequest, "extended-guest-request", false)  \
  X(kUnsupportedEvent, "unsupported-event", false)      \
  X(kApCreation, "ap-creation", false)                  \
  X(kTermination, "termination", false)

enum class Cause : uint8_t {
#define FORELOCK_DEFINE_CAUSE(constant, name, aside) constant,
  FORELOCK_EXIT_CAUSES(FORELOCK_DEFINE_CAUSE)
#undef FORELOCK_DEFINE_CAUSE
};

inline constexpr std::string_view kCauseNames[] = {
#define FORELOCK_NAME_CAUSE(constant, name, aside) name,
    FORELOCK_EXIT_CAUSES(FORELOCK_NAME_CAUSE)
#undef FORELOCK_NAME_CAUSE
};
inline constexpr size_t kCauseCount = std::size(kCauseNames);

constexpr std::string_view NameOf(Cause cause) {
  return kCauseNames[static_cast<size_t>(cause)];
}

// Design section 9: "console, fw_cfg, registration and page-state set-up
// aside".
constexpr bool OutsideBudget(Cause cause) {
  constexpr bool kAside[] = {
#define FORELOCK_ASIDE_CAUSE(constant, name, aside) aside,
      FORELOCK_EXIT_CAUSES(FORELOCK_ASIDE_CAUSE)
#undef FORELOCK_ASIDE_CAUSE
  };
  return kAside[static_cast<size_t>(cause)];
}

}  // namespace machine
