// SPDX-License-Identifier: Apache-2.0
//
// A boot that fails leaves no AES key: not the random generator's, not one of
// TLS's records, not VMPCK0's. The judge looks for their schedules at each end;
// here it is shown that they were there before, and for each kind of failure.
#include <stdint.h>

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "machine/cpu.h"
#include "tests/hostile/bench.h"
#include "tests/hostile/branches.h"
#include "tests/hostile/key_schedules.h"
#include "tests/hostile/needles.h"
#include "tests/hostile/scripts.h"

namespace hostile {
namespace {

using machine::FwCfgFile;
using machine::MemoryRange;

// Of private memory. Addresses, and how often AES-128 and AES-256 is there.
struct Found {
  std::vector<uint64_t> addresses;
  int aes128 = 0, aes256 = 0;
};
Found FindKeys(Machine& machine) {
  Found found;
  for (const MemoryRange& range : machine.memory().ranges()) {
    for (const base::Bytes part :
         ResidentParts({range.private_bytes, range.size})) {
      const auto start =
          static_cast<uint64_t>(part.data() - range.private_bytes);
      for (const KeySchedule& schedule : FindKeySchedules(part)) {
        found.addresses.push_back(range.gpa + start + schedule.offset);
        ++(schedule.key_bits == 128 ? found.aes128 : found.aes256);
      }
    }
  }
  return found;
}

// Looks at the first exit that is wanted, then does `act`.
class Looks final : public Script {
 public:
  explicit Looks(AtExits::Wanted wanted,
                 std::function<void(Machine&)> act = nullptr)
      : wanted_(std::move(wanted)), act_(std::move(act)) {}

  Verdict Before(Machine& machine, Exit& exit) override {
    if (acted() != 0 || !wanted_(exit)) return Verdict::kContinue;
    Act();
    found_ = FindKeys(machine);
    if (act_) act_(machine);
    return Verdict::kContinue;
  }
  const Found& found() const { return found_; }

 private:
  const AtExits::Wanted wanted_;
  const std::function<void(Machine&)> act_;
  Found found_;
};

TEST(FailedBootKeysTest, WhileItRunsTheKeysAreFound) {
  // Only the generator has been keyed when the boot files are read.
  Looks early(Is(Cause::kFwCfg));
  EXPECT_EQ(RunGuest(&early).end, "kernel");
  EXPECT_EQ(early.found().aes256, 1);
  // When the report is asked for, TLS has its record keys besides.
  Looks late(Is(Cause::kExtendedRequest));
  EXPECT_EQ(RunGuest(&late).end, "kernel");
  EXPECT_GE(late.found().aes256 + late.found().aes128, 3);
}

TEST(FailedBootKeysTest, TheJudgeFindsOneThatStays) {
  BranchAt brancher(Is(Cause::kExtendedRequest), [](Machine&, const Exit&) {
    return std::vector<Branch>{
        {.name = "stays", .act = [](Machine& machine) {
           // A copy of the guest's own, where nobody wipes.
           const Found found = FindKeys(machine);
           const base::Bytes key =
               machine.memory().Private(found.addresses.at(0), 240);
           std::copy(
               key.begin(), key.end(),
               machine.memory().Private(kBenchRam - 0x800000, 4096).begin());
         }}};
  });
  EXPECT_TRUE(CollectBranches(brancher).ok());
  ASSERT_EQ(brancher.reports().size(), 1u);
  EXPECT_FALSE(brancher.reports()[0].ok);
  EXPECT_NE(brancher.reports()[0].text.find("a schedule of an AES-"),
            std::string::npos)
      << brancher.reports()[0].text;
}

TEST(FailedBootKeysTest, NoneIsLeftWhicheverWayABootFails) {
  struct Row {
    const char* end;
    AtExits::Wanted look;
    BenchOptions options;
    std::function<void(Machine&)> act;
  };
  const auto inject = [](uint8_t vector) {
    return [vector](Machine& machine) {
      machine.cpu().Inject({.vector = vector, .error_code = {}});
    };
  };
  const std::vector<Row> rows = {
      {"SL20",
       Is(Cause::kFwCfg),
       {.machine =
            [](MachineOptions& options) {
              std::erase_if(options.fw_cfg, [](const FwCfgFile& file) {
                return file.name == "opt/org.forelock/kernel";
              });
            }},
       nullptr},
      {"PC7",
       Is(Cause::kChannelRegistration),
       {.peer = [](ChannelPeer& peer) { peer.refuse_connections = true; }},
       nullptr},
      // Each attempt ends when the evidence comes.
      {"CR13",
       Is(Cause::kExtendedRequest),
       {.peer = [](ChannelPeer& peer) { peer.drop_evidence = 1000; }},
       nullptr},
      {"SM3", Is(Cause::kFwCfg), {}, inject(6)},
      {"SM3", Is(Cause::kExtendedRequest), {}, inject(2)},
  };
  for (const Row& row : rows) {
    Looks script(row.look, row.act);
    // The judge's complaint fails it.
    const Outcome outcome = RunGuest(&script, row.options);
    EXPECT_EQ(outcome.end, row.end) << outcome.ToString();
    EXPECT_GE(script.found().aes256, 1) << row.end;
  }
}

// What calls left on the stack is wiped as a whole: WipeStack() writes to
// memory that no C++ object is in, which a compiler may think needs no writing.
TEST(FailedBootKeysTest, NothingIsLeftOnTheStack) {
  // Of the frames that the last acts themselves are in.
  constexpr uint64_t kStillUsed = 8192;
  const uint64_t bottom = PlainGuest().symbols().AddressOf("__stack_bottom");
  const uint64_t top = PlainGuest().symbols().AddressOf("__stack_top");
  ASSERT_GT(top, bottom + kStillUsed);
  const auto written = [&](Machine& machine) {
    const base::Bytes unused =
        machine.memory().Private(bottom, top - bottom - kStillUsed);
    return std::count_if(unused.begin(), unused.end(),
                         [](uint8_t byte) { return byte != 0; });
  };
  int64_t before = 0;
  Looks script(Is(Cause::kExtendedRequest),
               [&](Machine& machine) { before = written(machine); });
  Bench bench(&script,
              {.peer = [](ChannelPeer& peer) { peer.drop_evidence = 1000; }});
  EXPECT_EQ(bench.Run().end, "CR13");
  EXPECT_NE(before, 0);
  EXPECT_EQ(written(bench.machine()), 0);
}

}  // namespace
}  // namespace hostile
