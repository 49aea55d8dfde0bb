// SPDX-License-Identifier: Apache-2.0
#include "svsm/panic/fail.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/result.h"
#include "base/time.h"
#include "gtest/gtest.h"
#include "svsm/boot/exception_frame.h"
#include "svsm/console/console.h"
#include "svsm/cpu/features.h"
#include "svsm/memory/interval_set.h"
#include "svsm/platform/guest_request_exit.h"
#include "svsm/platform/platform.h"
#include "svsm/reasons.h"

namespace svsm {
namespace {

// A UART that is ready at the second poll for each byte, as a real one is not
// ready at once. What it sends goes to standard error.
class SlowConsole final : public Platform {
 public:
  EntryPoint entry_point() const override { return EntryPoint::kPvh; }
  uint8_t In8(uint16_t) override {
    ready_ = !ready_;
    return ready_ ? 0 : 0x60;
  }
  void Out8(uint16_t port, uint8_t value) override {
    if (port == 0x3F8) fputc(value, stderr);
  }
  void Out16(uint16_t, uint16_t) override {}
  void Out32(uint16_t, uint32_t) override {}
  CpuidRegisters Cpuid(uint32_t, uint32_t) override { return {}; }
  base::Status Share(Range) override { return {}; }
  base::Status Unshare(Range) override { return {}; }
  base::Status Accept(Range) override { return {}; }
  uint32_t tsc_kilohertz() override { return 0; }
  GuestRequestExit* guest_request_exit() override { return nullptr; }
  base::Status Retire() override { return {}; }
  base::Status HandleVc(ExceptionFrame&) override { return {}; }
  uint64_t encryption_mask() const override { return 0; }
  [[noreturn]] void Stop(base::Status why) override {
    fprintf(stderr, "stopped\n");
    exit(why.reason() == kTrap ? 0 : 1);
  }

 private:
  bool ready_ = false;
};

class StoppedClock final : public base::Clock {
 public:
  base::Instant Now() override { return base::Instant{1000}; }
  void Relax() override {}
};

SlowConsole platform;
StoppedClock boot_time;

// Statements of a death test run in a process of their own.
void EndTheBootsTime() {
  SetPlatform(platform);
  console::HurryAfterEndOf(boot_time);
  boot_time.EndAt(base::Instant{999});
  last_acts = {.allow_last_word = [] { boot_time.EndAt(base::Instant{2000}); }};
}

constexpr char kAllOfIt[] =
    "^forelock: failed: SM4 [^\n]+\r\n"
    "forelock: powering off\r\nstopped\n$";

TEST(FailDeathTest, TheReasonIsPrintedBehindTheBootsEnd) {
  const base::Status why(base::Code::kInternal, kTrap);
  EXPECT_EXIT(
      {
        EndTheBootsTime();
        Fail(why);
      },
      testing::ExitedWithCode(0), kAllOfIt);
  EXPECT_EXIT(
      {
        EndTheBootsTime();
        FailInException(why);
      },
      testing::ExitedWithCode(0), kAllOfIt);
}

// Each of Fail()'s other acts comes after the reason.
TEST(FailDeathTest, TheReasonIsPrintedFirst) {
  EXPECT_EXIT(
      {
        EndTheBootsTime();
        last_acts.wipes[0] = [] { fprintf(stderr, "wiped "); };
        last_acts.report = [](base::Status) { fprintf(stderr, "reported "); };
        last_acts.clear_shared_pages = [] { fprintf(stderr, "cleared "); };
        Fail(base::Status(base::Code::kInternal, kTrap));
      },
      testing::ExitedWithCode(0),
      "failed: [^\n]+\nwiped reported cleared forelock: powering off");
}

}  // namespace
}  // namespace svsm
