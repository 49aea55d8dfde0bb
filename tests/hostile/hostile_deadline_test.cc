// SPDX-License-Identifier: Apache-2.0
//
// A hypervisor that stops in one phase after the other. Each phase alone may
// take ten minutes here: it is the boot's deadline that ends the wait, and the
// reason says where.
#include <stdint.h>

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "gtest/gtest.h"
#include "proto/config.h"
#include "psp/fault.h"
#include "sev/ghcb.h"
#include "tests/hostile/bench.h"
#include "tests/hostile/scripts.h"

namespace hostile {
namespace {

using psp::Fault;

namespace f = sev::ghcb_layout;

constexpr uint64_t kBootMs = 3'000;
constexpr uint64_t kLastWordMs = 2'000;
// Work that nothing waits for: copying, hashing, elliptic curves.
constexpr uint64_t kWorkMs = 1'500;

// Swallows the exits of one cause, and counts the guest's time.
class Swallow final : public Script {
 public:
  explicit Swallow(std::optional<Cause> cause) : cause_(cause) {}

  Verdict Before(Machine& machine, Exit& exit) override {
    if (!exit.by_page || exit.cause != cause_) return Verdict::kContinue;
    Act();
    GhcbPage page = GhcbOf(machine, exit);
    page.ClearBitmap();
    page.Set<f::SwExitInfo1>(sev::kExitResultOk);
    page.Set<f::SwExitInfo2>(0);
    return Verdict::kHandled;
  }
  void OnPause(Machine&) override { ++pauses_; }
  uint64_t pauses() const { return pauses_; }

 private:
  const std::optional<Cause> cause_;
  uint64_t pauses_ = 0;
};

const Guest& PatientGuest() {
  static const Guest* const guest = new Guest({.config = [](auto& config) {
    config.proxy_deadline = config.verifier_deadline =
        config.secure_processor_deadline =
            base::Milliseconds{proto::kMaxDeadlineMs};
    config.boot_deadline = base::Milliseconds{kBootMs};
  }});
  return *guest;
}

TEST(HostileDeadlineTest, NoPhaseOutlivesTheBootsDeadline) {
  struct Row {
    std::string what, end;
    std::optional<Cause> swallowed;
    Fault fault = Fault::kNone;
    int drop_evidence = 0;
  };
  const std::vector<Row> rows = {
      {"fw_cfg", "SL12", Cause::kFwCfg},
      {"proxy", "PC4", Cause::kChannelRegistration},
      {"secure processor", "SR2", std::nullopt, Fault::kBusyForever},
      {"verifier", "CR13", std::nullopt, Fault::kNone, 1'000'000},
  };
  for (const Row& row : rows) {
    Swallow script(row.swallowed);
    const Outcome outcome = RunGuest(
        &script,
        {.guest = &PatientGuest(),
         .machine = [&](MachineOptions& o) { o.firmware_fault = row.fault; },
         .peer = [&](ChannelPeer& p) { p.drop_evidence = row.drop_evidence; },
         .instruction_limit = 20'000'000'000});
    EXPECT_EQ(outcome.end, row.end) << row.what << outcome.ToString();
    EXPECT_EQ(script.acted() > 0, row.swallowed.has_value()) << row.what;
    const uint64_t ticks =
        outcome.result.instructions + script.pauses() * Machine::kPauseTicks;
    const uint64_t ms = ticks / proto::kMinTscKhz;
    EXPECT_LE(ms, kBootMs + kLastWordMs + kWorkMs) << row.what;
    // It was this deadline, and not something that failed early.
    EXPECT_GE(ms, kBootMs / 3) << row.what;
  }
}

}  // namespace
}  // namespace hostile
