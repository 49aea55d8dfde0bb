// SPDX-License-Identifier: Apache-2.0
//
// A hypervisor that injects events: interrupts and NMIs (Heckler: Schlüter et
// al., 2024, by int 0x80), and #VC for instructions that do not cause it
// (WeSee: Schlüter et al., 2024), also while the guest handles its secret.
// Spec: AMD 24593 (APM volume 2), 15.20, 15.35.5, appendix C.
#include <stdint.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/hostile/bench.h"
#include "tests/hostile/branches.h"
#include "tests/hostile/scripts.h"

namespace hostile {
namespace {

using machine::Injection;

constexpr uint8_t kNmi = 2, kVc = 29, kHeckler = 0x80;

Branch Injecting(std::string name, std::vector<Injection> injections) {
  return {.name = std::move(name),
          .act = [injections = std::move(injections)](Machine& machine) {
            for (const Injection& injection : injections) {
              machine.cpu().Inject(injection);
            }
          }};
}
Branch Vector(uint64_t at, uint8_t vector) {
  return Injecting(absl::StrCat("vector ", vector, " at ", at),
                   {{.vector = vector}});
}
Branch VectorWithError(uint64_t at, uint8_t vector, uint32_t error) {
  return Injecting(
      absl::StrCat("vector ", vector, " error ", error, " at ", at),
      {{.vector = vector, .error_code = error}});
}

bool SaysGranted(const Machine& machine) {
  return machine.trace().console().find("granted") != std::string::npos;
}

// Branches at instruction counts: first from the start, then from the moment
// that the guest says it was granted. What lies before that takes a few ten
// thousand instructions more or less in each run (ECDSA), what follows does
// not.
class AtCounts final : public Brancher {
 public:
  using Make = std::function<std::vector<Branch>(uint64_t at)>;
  // Both ascending.
  AtCounts(std::vector<uint64_t> early, std::vector<uint64_t> late, Make make)
      : early_(std::move(early)),
        late_(std::move(late)),
        make_(std::move(make)) {}

  void OnStart(Machine& machine) override { Next(machine); }

 private:
  void AfterExit(Machine& machine, const Exit& exit) override {
    if (granted_ != 0 || !SaysGranted(machine)) return;
    granted_ = exit.instructions;
    EXPECT_EQ(next_early_, early_.size()) << "points behind the grant";
    Next(machine);
  }
  void AtCount(Machine& machine) override {
    Try(machine, make_(machine.cpu().instructions()));
    if (!in_child()) Next(machine);
  }
  void Next(Machine& machine) {
    if (granted_ == 0) {
      if (next_early_ == early_.size()) return;
      machine.cpu().NotifyAt(early_[next_early_++]);
    } else if (next_late_ < late_.size()) {
      machine.cpu().NotifyAt(granted_ + late_[next_late_++]);
    }
  }

  const std::vector<uint64_t> early_, late_;
  const Make make_;
  size_t next_early_ = 0, next_late_ = 0;
  uint64_t granted_ = 0;
};

// What an honest run takes.
struct Length {
  // Of another run: where its grant cannot be yet.
  uint64_t before_grant() const { return granted - granted / 100; }
  uint64_t grant_to_last_exit() const { return last_exit - granted; }

  uint64_t first_exit = 0;  // Instructions before it: there is an IDT then.
  uint64_t granted = 0;     // When the secret is in the guest.
  uint64_t last_exit = 0;   // What follows is the trampoline.
  uint64_t end = 0;
};
class Measuring final : public Script {
 public:
  void After(Machine& machine, Exit& exit) override {
    if (length.first_exit == 0) length.first_exit = exit.instructions;
    length.last_exit = exit.instructions;
    if (length.granted == 0 && SaysGranted(machine)) {
      length.granted = exit.instructions;
    }
  }
  Length length;
};
const Length& HonestRun() {
  static const Length length = [] {
    Measuring script;
    script.length.end = RunGuest(&script).result.instructions;
    return script.length;
  }();
  return length;
}

std::vector<uint64_t> Spread(uint64_t begin, uint64_t end, uint64_t count) {
  std::vector<uint64_t> points;
  for (uint64_t i = 0; i < count; ++i) {
    points.push_back(begin + (end - begin) * (2 * i + 1) / (2 * count));
  }
  return points;
}

void ExpectNoKernel(const std::vector<BranchReport>& reports) {
  for (const BranchReport& report : reports) {
    EXPECT_NE(report.end, "kernel") << report.name;
  }
}

TEST(HostileInjectionTest, HonestRunIsMeasured) {
  const Length& length = HonestRun();
  EXPECT_GT(length.first_exit, 0u);
  EXPECT_GT(length.granted, length.first_exit);
  EXPECT_GT(length.last_exit, length.granted);
  EXPECT_GT(length.end, length.last_exit);
}

TEST(HostileInjectionTest, EachVectorEndsWithAReason) {
  const Length& length = HonestRun();
  AtCounts brancher(
      {(length.first_exit + length.granted) / 2}, {1}, [](uint64_t at) {
        std::vector<Branch> branches;
        for (int vector = 0; vector < 256; ++vector) {
          branches.push_back(Vector(at, static_cast<uint8_t>(vector)));
        }
        return branches;
      });
  const auto reports = RunBranches(brancher);
  EXPECT_EQ(reports.size(), 512u);
  ExpectNoKernel(reports);
  RecordProperty("ends", Tally(reports));
}

// Whether the vector has one or not.
TEST(HostileInjectionTest, EachExceptionWithAnErrorCodeEndsWithAReason) {
  AtCounts brancher({}, {1}, [](uint64_t at) {
    std::vector<Branch> branches;
    for (int vector = 0; vector < 32; ++vector) {
      for (const uint32_t error : {0u, 0xFFFFFFFFu}) {
        branches.push_back(
            VectorWithError(at, static_cast<uint8_t>(vector), error));
      }
    }
    return branches;
  });
  ExpectNoKernel(RunBranches(brancher));
}

TEST(HostileInjectionTest, Int80AndNmiAtManyPoints) {
  const Length& length = HonestRun();
  AtCounts brancher(Spread(length.first_exit, length.before_grant(), 40),
                    Spread(0, length.grant_to_last_exit(), 20),
                    [](uint64_t at) {
                      return std::vector<Branch>{
                          Vector(at, kHeckler), Vector(at, kNmi),
                          Injecting(absl::StrCat("NMI twice at ", at),
                                    {{.vector = kNmi}, {.vector = kNmi}})};
                    });
  const auto reports = RunBranches(brancher);
  EXPECT_GE(reports.size(), 150u);
  ExpectNoKernel(reports);
}

// TLS's secrets are in variables then, which the interrupted code does not
// wipe.
TEST(HostileInjectionTest, NmiAtManyPointsOfTheHandshake) {
  const Length& length = HonestRun();
  AtCounts brancher(
      Spread(length.granted / 10 * 9, length.before_grant(), 100), {},
      [](uint64_t at) { return std::vector<Branch>{Vector(at, kNmi)}; });
  ExpectNoKernel(RunBranches(brancher));
}

// Every exit code that there is, while the secret is being handled.
TEST(HostileInjectionTest, EachVcErrorCodeIntoCodeThatHandlesTheSecret) {
  std::vector<uint32_t> codes;
  for (uint32_t code = 0; code <= 0xA5; ++code) codes.push_back(code);
  for (uint32_t code = 0x400; code <= 0x406; ++code) codes.push_back(code);
  for (uint32_t code = 0x80000000; code <= 0x8000001A; ++code) {
    codes.push_back(code);
  }
  codes.insert(codes.end(), {0xFFFFFFFF, 0x8000FFFD, 0x8000FFFE, 0x8000FFFF});
  AtCounts brancher({}, {1}, [&codes](uint64_t at) {
    std::vector<Branch> branches;
    for (const uint32_t code : codes) {
      branches.push_back(VectorWithError(at, kVc, code));
    }
    return branches;
  });
  const auto reports = RunBranches(brancher);
  EXPECT_EQ(reports.size(), codes.size());
  ExpectNoKernel(reports);
  RecordProperty("ends", Tally(reports));
}

// The codes that the image does handle, at instructions that raise none.
TEST(HostileInjectionTest, VcForInstructionsThatDoNotCauseItAtManyPoints) {
  const Length& length = HonestRun();
  const auto make = [](uint64_t at) {
    std::vector<Branch> branches;
    for (const uint32_t code : {0x72, 0x7B, 0x7C, 0x404}) {
      branches.push_back(VectorWithError(at, kVc, static_cast<uint32_t>(code)));
    }
    return branches;
  };
  AtCounts brancher(Spread(length.first_exit, length.before_grant(), 20),
                    Spread(0, length.grant_to_last_exit(), 40), make);
  const auto reports = RunBranches(brancher);
  EXPECT_GE(reports.size(), 200u);
  ExpectNoKernel(reports);
}

// The trampoline that wipes the image has no IDT: nothing is left to tell.
TEST(HostileInjectionTest, EventsWhileTheImageIsWipedEndTheRun) {
  const Length& length = HonestRun();
  const uint64_t to_end = length.end - length.granted;
  AtCounts brancher(
      {}, Spread(length.grant_to_last_exit(), to_end, 12), [](uint64_t at) {
        return std::vector<Branch>{Vector(at, kHeckler), Vector(at, kNmi),
                                   VectorWithError(at, kVc, 0x7C)};
      });
  ExpectNoKernel(RunBranches(brancher, {.allow = {.shutdown = true}}));
}

// Before the first instructions have made an IDT, an event is a shutdown, or
// the CPU looks for one in memory that the guest has not got.
TEST(HostileInjectionTest, EventsBeforeTheFirstExitEndTheRun) {
  const Length& length = HonestRun();
  auto points = Spread(0, length.first_exit, 20);
  points.insert(points.begin(), 1);
  AtCounts brancher(points, {}, [](uint64_t at) {
    return std::vector<Branch>{
        Vector(at, kHeckler), Vector(at, kNmi), VectorWithError(at, kVc, 0x72),
        VectorWithError(at, 13, 0),
        Injecting(absl::StrCat("4 NMIs at ", at),
                  std::vector<Injection>(4, {.vector = kNmi}))};
  });
  const auto reports =
      RunBranches(brancher, {.allow = {.shutdown = true, .violation = true}});
  ExpectNoKernel(reports);
  int reasons = 0;
  for (const BranchReport& report : reports) {
    reasons += report.end.starts_with("S") ? 1 : 0;
  }
  EXPECT_GT(reasons, 40) << Tally(reports);
}

// As a wrong C-bit would look: other bytes by one way than by the other.
class SpoilingTheProbe final : public Script {
 public:
  void OnStart(Machine& machine) override { machine.cpu().NotifyAt(1); }
  void OnCount(Machine& machine) override {
    const uint64_t probe = PlainGuest().symbols().AddressOf("c_bit_probe");
    const base::MutableBytes bytes = machine.memory().Private(probe, 8);
    if (probe == 0 || bytes.empty()) return;
    bytes[0] ^= 0xFF;
    Act();
    machine.cpu().NotifyAt(machine.cpu().instructions() + 1);
  }
};
TEST(HostileInjectionTest, AProbeOfTheCbitThatReadsOtherwiseEndsTheRun) {
  SpoilingTheProbe script;
  EXPECT_EQ(RunGuest(&script).end, "SP3");
  EXPECT_GT(script.acted(), 0);
}

}  // namespace
}  // namespace hostile
