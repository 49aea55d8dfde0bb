// SPDX-License-Identifier: Apache-2.0
//
// The judge of the hostile hypervisor's tests: content with an honest host, and
// never with what it is there to find.
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "gtest/gtest.h"
#include "psp/message_cipher.h"
#include "sev/ghcb.h"
#include "sev/guest_message.h"
#include "sev/secrets_page.h"
#include "tests/hostile/bench.h"
#include "tests/hostile/branches.h"
#include "tests/hostile/scripts.h"

namespace hostile {
namespace {

using machine::Ending;
using machine::kPageSize;
using machine::MemoryRange;
using machine::RmpPageSize;
using machine::StopKind;
using psp::OpenMessage;
using psp::SealMessage;

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

// Does each, from when the guest asks for its report on, or at another exit,
// and wants the complaint.
void ExpectComplaints(const std::vector<Crime>& crimes,
                      AtExits::Wanted when = Is(Cause::kExtendedRequest)) {
  BranchAt brancher(std::move(when), [&](Machine&, const Exit& exit) {
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

// The channel's pages, when the guest is about to look for an answer.
TEST(JudgeTest, AReadOfAPrivatePageThroughASharedMappingIsFound) {
  ExpectComplaints(
      {{"read a private page through C=0",
        [](Machine& machine, const Exit& exit) {
          for (const MemoryRange& range : machine.memory().ranges()) {
            for (uint64_t at = 0; at < range.size; at += kPageSize) {
              if (range.gpa + at != exit.msr &&
                  machine.rmp().Get(range.gpa + at).shared) {
                machine.rmp().LaunchPage(range.gpa + at);
              }
            }
          }
        }}},
      Is(Cause::kDoorbell));
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
       {"a part of VMPCK0",
        [&](Machine& machine, const Exit&) {
          Put(page(machine),
              machine.firmware().vmpck0_for_tests().RevealSecret().first(
                  Needles::kShortest));
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

// A kernel that gets something else than it should, at the last exit before it.
TEST(JudgeTest, AnotherHandOverIsFound) {
  const Outcome honest = RunGuest();
  const uint64_t zero_page = honest.result.kernel_boot_params;
  // Linux, Documentation/arch/x86/boot.rst.
  const auto address = [zero_page](Machine& machine, uint64_t field) {
    return base::LoadLe<uint32_t>(
        machine.memory().Private(zero_page + field, 4).first<4>());
  };
  ExpectComplaints(
      {{"the zero page is not private",
        [&](Machine& machine, const Exit&) {
          machine.host().MakeShared(zero_page, 4096);
        }},
       {"the initrd has not got the secret",
        [&](Machine& machine, const Exit&) {
          const base::Bytes secret = TheOwner().secret();
          const base::MutableBytes initrd = machine.memory().Private(
              address(machine, 0x218), address(machine, 0x21C));
          void* const found = memmem(initrd.data(), initrd.size(),
                                     secret.data(), secret.size());
          if (found != nullptr) *static_cast<uint8_t*>(found) ^= 1;
        }},
       {"the command line is not",
        [&](Machine& machine, const Exit&) {
          machine.memory().Private(address(machine, 0x228), 1)[0] ^= 1;
        }},
       {"TLS secret 1 is 1 times in private",
        [](Machine& machine, const Exit&) {
          const auto& tls = TheOwner().tls_secrets();
          ASSERT_GE(tls.size(), 10u);  // Five of each guest.
          Put(machine.memory().Private(kBenchRam - 0x800000, 4096),
              tls[tls.size() - 4]);
        }}},
      [last = honest.exits](const Exit& exit) { return exit.number == last; });
}

TEST(JudgeTest, AKernelWithoutConsentIsFound) {
  ExpectComplaints({{"a kernel without", [](Machine& machine, const Exit&) {
                       machine.End({.kind = Ending::Kind::kKernelReached});
                     }}});
}

TEST(JudgeTest, AnotherImageThatGetsTheSecretIsFound) {
  const Outcome outcome =
      Bench(nullptr, {.allow = {.other_image = true}}).Run();
  EXPECT_TRUE(Complains(outcome, "another image got the secret"));
}

// As if the guest had sealed something else under the number of its request,
// which the host was too busy for.
class AnotherMessage final : public Script {
 public:
  Verdict Before(Machine& machine, Exit& exit) override {
    if (!IsGuestRequest()(exit)) return Verdict::kContinue;
    if (page_ != 0) {
      machine.cpu().UnwatchAll();
      return Verdict::kContinue;
    }
    page_ = exit.info1;
    const sev::Vmpck& key = machine.firmware().vmpck0_for_tests();
    const sev::MessagePage page = Message(machine);
    const auto header = sev::ReadMessageHeader(page);
    if (!header.ok()) return Verdict::kStop;
    std::vector<uint8_t> plain(header->size);
    if (!OpenMessage(key, *header, page, plain)) return Verdict::kStop;
    plain[0] ^= 1;
    SealMessage(key, *header, plain, other_);
    GhcbPage ghcb = GhcbOf(machine, exit);
    ghcb.ClearBitmap();
    ghcb.Set<sev::ghcb_layout::SwExitInfo1>(sev::kExitResultOk);
    ghcb.Set<sev::ghcb_layout::SwExitInfo2>(uint64_t{sev::kGuestRequestBusy}
                                            << 32);
    machine.cpu().Watch(exit.msr, sev::kGhcbSize);
    return Verdict::kHandled;
  }
  // The guest has written its message again, and is about to exit.
  void OnWatchedAccess(Machine& machine, const WatchedAccess& access) override {
    if (access.access != Access::kWrite) return;
    Act();
    std::copy(other_.begin(), other_.end(), Message(machine).begin());
  }

 private:
  sev::MessagePage Message(Machine& machine) const {
    return machine.host()
        .Shared(page_, sev::kMessagePageSize)
        .first<sev::kMessagePageSize>();
  }

  uint64_t page_ = 0;
  std::array<uint8_t, sev::kMessagePageSize> other_{};
};
TEST(JudgeTest, TwoMessagesUnderOneNumberAreFound) {
  AnotherMessage script;
  const Outcome outcome = Bench(&script).Run();
  EXPECT_GT(script.acted(), 0);
  EXPECT_TRUE(Complains(outcome, "two messages under sequence number"))
      << outcome.ToString();
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
       {"broke a rule", end(Ending::Violation(""))},
       {"the machine cannot go on",
        [](Machine& machine, const Exit&) {
          machine.cpu().StopAs(StopKind::kUnsupported, "");
        }},
       {"the machine cannot go on", [](Machine& machine, const Exit&) {
          machine.cpu().StopAs(StopKind::kEngineError, "");
        }}});
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
}  // namespace hostile
