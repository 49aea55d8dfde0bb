// SPDX-License-Identifier: Apache-2.0
//
// The judge of the hostile hypervisor's tests: content with an honest host, and
// never with what it is there to find.
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "emulator/machine/testing/bench.h"
#include "emulator/machine/testing/branches.h"
#include "emulator/machine/testing/scripts.h"
#include "gtest/gtest.h"
#include "sev/ghcb.h"

namespace emulator::machine::testing {
namespace {

bool Complains(const Outcome& outcome, std::string_view of) {
  return std::any_of(outcome.complaints.begin(), outcome.complaints.end(),
                     [of](const std::string& complaint) {
                       return complaint.find(of) != std::string::npos;
                     });
}

struct Crime {
  std::string complaint;
  std::function<void(Machine&, const Exit&)> commit;
};

// Does each, from when the guest asks for its report on, and wants the
// complaint.
void ExpectComplaints(const std::vector<Crime>& crimes) {
  BranchAt brancher(
      Is(Cause::kExtendedRequest), [&](Machine&, const Exit& exit) {
        std::vector<Branch> branches;
        for (const Crime& crime : crimes) {
          branches.push_back(
              {.name = crime.complaint, .act = [crime, exit](Machine& machine) {
                 crime.commit(machine, exit);
               }});
        }
        return branches;
      });
  EXPECT_TRUE(CollectBranches(brancher).ok());
  EXPECT_EQ(brancher.reports().size(), crimes.size());
  for (const BranchReport& report : brancher.reports()) {
    EXPECT_FALSE(report.ok) << report.name;
    EXPECT_NE(report.text.find(report.name), std::string::npos)
        << report.name << "\n"
        << report.text;
  }
}

TEST(JudgeTest, AnHonestHostGetsTheKernelStarted) {
  const Outcome outcome = RunGuest();
  EXPECT_EQ(outcome.end, "kernel") << outcome.ToString();
  EXPECT_TRUE(outcome.granted);
  EXPECT_EQ(outcome.guest_messages, 1u);
  EXPECT_EQ(outcome.repeated_messages, 0);
}

TEST(JudgeTest, TwoRunsAreTheSame) {
  const Outcome first = RunGuest();
  const Outcome second = RunGuest();
  EXPECT_EQ(first.exits, second.exits);
}

void Put(base::MutableBytes memory, base::Bytes secret) {
  ASSERT_GE(memory.size(), secret.size());
  std::copy(secret.begin(), secret.end(), memory.begin());
}

TEST(JudgeTest, ASecretInASharedPageIsFound) {
  const auto page = [](Machine& machine, const Exit& exit) {
    return machine.host().Shared(exit.info1, 4096).subspan(3000);
  };
  ExpectComplaints(
      {{"the secret in shared memory",
        [&](Machine& machine, const Exit& exit) {
          Put(page(machine, exit), TheOwner().secret());
        }},
       {"VMPCK0 in shared memory",
        [&](Machine& machine, const Exit& exit) {
          Put(page(machine, exit),
              machine.firmware().vmpck0_for_tests().RevealSecret());
        }},
       {"TLS secret",
        [&](Machine& machine, const Exit& exit) {
          Put(page(machine, exit), TheOwner().tls_secrets().back());
        }},
       {"the secret in the GHCB page", [](Machine& machine, const Exit& exit) {
          Put(GhcbOf(machine, exit).bytes().subspan(0xE00),
              TheOwner().secret());
        }}});
}

TEST(JudgeTest, APageValidatedTwiceIsFound) {
  ExpectComplaints({{"validated again", [](Machine& machine, const Exit&) {
                       const uint64_t page = machine.launched().pages.front();
                       machine.rmp().Pvalidate(page, RmpPageSize::k4K, true, 0);
                     }}});
}

TEST(JudgeTest, AKeyLeftInPrivateMemoryIsFound) {
  const auto page = [](Machine& machine) {
    return machine.memory().Private(kBenchRam - 0x800000, 4096);
  };
  ExpectComplaints(
      {{"VMPCK0 is 1 times",
        [&](Machine& machine, const Exit&) {
          Put(page(machine),
              machine.firmware().vmpck0_for_tests().RevealSecret());
        }},
       {"the secret is 2 times", [&](Machine& machine, const Exit&) {
          Put(page(machine), TheOwner().secret());
        }}});
}

// As if the guest had not checked what it was given.
TEST(JudgeTest, OtherBootFilesAreFound) {
  const auto spoil = [](Machine& machine, base::Bytes file) {
    const base::Bytes part = file.subspan(file.size() * 7 / 8, 64);
    for (const MemoryRange& range : machine.memory().ranges()) {
      void* const found =
          memmem(range.private_bytes, range.size, part.data(), part.size());
      if (found != nullptr) *static_cast<uint8_t*>(found) ^= 1;
    }
  };
  ExpectComplaints({{"the initrd is not",
                     [&](Machine& machine, const Exit&) {
                       spoil(machine, PlainGuest().initrd());
                     }},
                    {"the kernel is not", [&](Machine& machine, const Exit&) {
                       spoil(machine, PlainGuest().kernel());
                     }}});
}

TEST(JudgeTest, EndsWithoutAReasonAreFound) {
  const auto end = [](Ending ending) {
    return [ending](Machine& machine, const Exit&) { machine.End(ending); };
  };
  using Kind = Ending::Kind;
  ExpectComplaints(
      {{"without a reason of ours",
        end({.kind = Kind::kTerminated, .reason_set = 0})},
       {"without a reason of ours",
        end({.kind = Kind::kTerminated, .reason_set = 6, .reason_code = 250})},
       {"switched off without", end({.kind = Kind::kPoweredOff})},
       {"halted", end({.kind = Kind::kHalted})},
       {"triple fault", end({.kind = Kind::kShutdown})},
       {"broke a rule", end(Ending::Violation(""))}});
}

TEST(JudgeTest, AHangIsFound) {
  const Outcome outcome = Bench(nullptr, {.instruction_limit = 100'000}).Run();
  EXPECT_EQ(outcome.end, "limit");
  EXPECT_TRUE(Complains(outcome, "hangs"));
}

// A child that dies, or complains, is a failure of its branch.
TEST(JudgeTest, BranchesReportWhatTheyFound) {
  BranchAt brancher(Is(Cause::kExtendedRequest), [](Machine&, const Exit&) {
    return std::vector<Branch>{
        {.name = "honest"},
        {.name = "dies", .act = [](Machine&) { _exit(7); }},
        {.name = "complains", .act = [](Machine& machine) {
           machine.End({.kind = Ending::Kind::kHalted});
         }}};
  });
  EXPECT_TRUE(CollectBranches(brancher).ok());
  ASSERT_EQ(brancher.reports().size(), 3u);
  EXPECT_TRUE(brancher.reports()[0].ok);
  EXPECT_EQ(brancher.reports()[0].end, "kernel");
  EXPECT_FALSE(brancher.reports()[1].ok);
  EXPECT_EQ(brancher.reports()[1].end, "crash");
  EXPECT_FALSE(brancher.reports()[2].ok);
}

}  // namespace
}  // namespace emulator::machine::testing
