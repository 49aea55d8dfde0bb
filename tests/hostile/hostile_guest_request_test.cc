// SPDX-License-Identifier: Apache-2.0
//
// A hypervisor that is hostile between the guest and the secure processor:
// answers that are stale, replayed, forged, late or never there, and
// certificate tables that lie.
// Spec: AMD 56421 (GHCB) rev. 2.03, 4.1.7 and 4.1.8.
#include <stdint.h>
#include <string.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "psp/fault.h"
#include "sev/cert_table.h"
#include "sev/ghcb.h"
#include "sev/guest_message.h"
#include "tests/hostile/bench.h"
#include "tests/hostile/branches.h"
#include "tests/hostile/scripts.h"
#include "tests/hostile/seeded_random.h"
#include "verifier/testing/evidence_maker.h"

namespace hostile {
namespace {

using psp::Fault;

namespace f = sev::ghcb_layout;

base::MutableBytes ResponseOf(Machine& machine, const Exit& exit) {
  return machine.host().Shared(exit.info2, sev::kMessagePageSize);
}
void Answer(Machine& machine, const Exit& exit, uint64_t exit_info_2) {
  GhcbPage page = GhcbOf(machine, exit);
  page.ClearBitmap();
  page.Set<f::SwExitInfo1>(sev::kExitResultOk);
  page.Set<f::SwExitInfo2>(exit_info_2);
}

Outcome RunWithFault(Fault fault) {
  return RunGuest(nullptr, {.machine = [fault](MachineOptions& options) {
                    options.firmware_fault = fault;
                  }});
}

TEST(HostileGuestRequestTest, BusyForeverEndsAtTheDeadline) {
  const Outcome outcome = RunWithFault(Fault::kBusyForever);
  EXPECT_EQ(outcome.end, "SR2") << outcome.ToString();
  EXPECT_EQ(outcome.guest_messages, 1u);
  EXPECT_GT(outcome.repeated_messages, 2);
}

TEST(HostileGuestRequestTest, BusyIsAnsweredWithTheSameBytes) {
  const Outcome outcome = RunWithFault(Fault::kBusyOnce);
  EXPECT_EQ(outcome.end, "kernel") << outcome.ToString();
  EXPECT_EQ(outcome.guest_messages, 1u);
  EXPECT_EQ(outcome.repeated_messages, 1);
}

TEST(HostileGuestRequestTest, FalseAnswersDestroyTheKey) {
  struct Row {
    Fault fault;
    std::string end;
  };
  for (const Row& row : std::vector<Row>{{Fault::kGarbage, "SV6"},
                                         {Fault::kStale, "SR6"},
                                         {Fault::kWrongSequence, "SR6"},
                                         {Fault::kWrongReportData, "SR10"},
                                         {Fault::kWrongVmpl, "SR11"},
                                         {Fault::kFirmwareError, "SR4"}}) {
    const Outcome outcome = RunWithFault(row.fault);
    EXPECT_EQ(outcome.guest_messages, 1u);
    EXPECT_EQ(outcome.end, row.end) << outcome.ToString();
  }
}

TEST(HostileGuestRequestTest, AnAnswerThatWasNeverWrittenIsNone) {
  Instead script(IsGuestRequest(), kAlways, [](Machine& machine, Exit& exit) {
    Answer(machine, exit, 0);
  });
  EXPECT_EQ(RunGuest(&script).end, "SR5");
}

// The host keeps the first answer, and gives it again for the second request.
class Replay final : public Script {
 public:
  Verdict Before(Machine& machine, Exit& exit) override {
    if (!IsGuestRequest()(exit) || first_.empty()) return Verdict::kContinue;
    const base::MutableBytes response = ResponseOf(machine, exit);
    if (response.empty()) return Verdict::kContinue;
    memcpy(response.data(), first_.data(), first_.size());
    Answer(machine, exit, 0);
    Act();
    return Verdict::kHandled;
  }
  void After(Machine& machine, Exit& exit) override {
    if (!IsGuestRequest()(exit) || !first_.empty()) return;
    const base::Bytes response = ResponseOf(machine, exit);
    first_.assign(response.begin(), response.end());
  }

 private:
  std::vector<uint8_t> first_;
};

TEST(HostileGuestRequestTest, AReplayedAnswerIsRefused) {
  Replay script;
  const Outcome outcome = RunGuest(
      &script, {.peer = [](ChannelPeer& peer) { peer.drop_evidence = 1; }});
  EXPECT_EQ(script.acted(), 1) << outcome.ToString();
  EXPECT_EQ(outcome.end, "SR6") << outcome.ToString();
  EXPECT_EQ(outcome.guest_messages, 2u);
}

TEST(HostileGuestRequestTest, ASecondReportHasANumberOfItsOwn) {
  const Outcome outcome = RunGuest(
      nullptr, {.peer = [](ChannelPeer& peer) { peer.drop_evidence = 1; }});
  EXPECT_EQ(outcome.end, "kernel") << outcome.ToString();
  EXPECT_EQ(outcome.guest_messages, 2u);
}

TEST(HostileGuestRequestTest, ARequestSentBackIsNoAnswer) {
  Instead script(IsGuestRequest(), kAlways, [](Machine& machine, Exit& exit) {
    const base::Bytes request =
        machine.host().Shared(exit.info1, sev::kMessagePageSize);
    memcpy(ResponseOf(machine, exit).data(), request.data(), request.size());
    Answer(machine, exit, 0);
  });
  EXPECT_EQ(RunGuest(&script).end, "SR6");
}

// What the host or the firmware may say went wrong, and what neither may.
TEST(HostileGuestRequestTest, EveryErrorCodeEndsWithAReason) {
  BranchAt brancher(IsGuestRequest(), [](Machine&, const Exit&) {
    std::vector<Branch> branches;
    for (const uint64_t code :
         {uint64_t{1}, uint64_t{0x0B}, uint64_t{0x16}, uint64_t{0x17},
          uint64_t{0xFFFFFFFF}, uint64_t{1} << 32, uint64_t{2} << 32,
          uint64_t{3} << 32, uint64_t{0xFFFFFFFF} << 32, ~uint64_t{0},
          uint64_t{2} << 32 | 1, uint64_t{1} << 63}) {
      branches.push_back(Going<Instead>(absl::StrCat("EXITINFO2 ", code),
                                        IsGuestRequest(), kAlways,
                                        [code](Machine& machine, Exit& exit) {
                                          Answer(machine, exit, code);
                                        }));
    }
    return branches;
  });
  for (const BranchReport& report : RunBranches(brancher)) {
    EXPECT_NE(report.end, "kernel") << report.name;
    EXPECT_FALSE(report.granted) << report.name;
  }
}

TEST(HostileGuestRequestTest, NoChangedByteOfAnAnswerIsTaken) {
  constexpr size_t kSealed = sev::kMessageHeaderSize + sev::kReportResponseSize;
  BranchAt brancher(IsGuestRequest(), [](Machine&, const Exit&) {
    std::vector<Branch> branches;
    std::vector<size_t> places;
    for (size_t at = 0; at < sev::kMessageHeaderSize; at += 3) {
      places.push_back(at);
    }
    for (size_t at = sev::kMessageHeaderSize; at < kSealed; at += 197) {
      places.push_back(at);
    }
    for (const size_t at : places) {
      branches.push_back(
          Going<Afterwards>(absl::StrCat(at), IsGuestRequest(), 1,
                            [at](Machine& machine, Exit& exit) {
                              ResponseOf(machine, exit)[at] ^= 0x10;
                            }));
    }
    return branches;
  });
  for (const BranchReport& report : RunBranches(brancher)) {
    const size_t at = std::stoul(report.name);
    // Bytes that the specification reserves are sealed by nobody.
    const bool sealed =
        at < sev::kMessageTagSize || (at >= 0x20 && at < 0x28) || at >= 0x30;
    if (sealed) EXPECT_NE(report.end, "kernel") << report.name;
  }
}

TEST(HostileGuestRequestTest, AResponseThatChangesWhileItIsReadDoesNoHarm) {
  BranchAt brancher(IsGuestRequest(), [](Machine&, const Exit&) {
    std::vector<Branch> branches;
    for (const int every : {1, 2, 5, 97, 1200, 4000}) {
      for (const uint64_t mask : {uint64_t{0x0101010101010101}, ~uint64_t{0}}) {
        branches.push_back(Going<Flipping>(
            absl::StrCat("every ", every, " mask ", mask), IsGuestRequest(),
            [](Machine&, const Exit& exit) {
              return Flipping::Place{exit.info2, sev::kMessagePageSize};
            },
            every, mask));
      }
    }
    return branches;
  });
  int acted = 0;
  for (const BranchReport& report : RunBranches(brancher)) {
    acted += report.acted ? 1 : 0;
    if (report.name.starts_with("every 1 ")) {
      EXPECT_NE(report.end, "kernel") << report.name;
    }
  }
  EXPECT_GE(acted, 6);
}

// --- Certificates.

void WithCertificates(MachineOptions& options) {
  options.hypervisor.certificates =
      verifier::testing::PackTable(verifier::testing::GoodCertificates());
}

TEST(HostileGuestRequestTest, CertificatesOfTheHostCountIfTheProxyHasNone) {
  Bench bench(nullptr,
              {.machine = WithCertificates,
               .peer = [](ChannelPeer& peer) { peer.certificates.clear(); }});
  const Outcome outcome = bench.Run();
  EXPECT_TRUE(outcome.ok() && outcome.end == "kernel") << outcome.ToString();
  EXPECT_EQ(bench.peer().certificates_asked(), 1);
}

// Of the TCB before the last update, for one.
TEST(HostileGuestRequestTest,
     AStaleCertificateOfTheHostDoesNotDisplaceTheProxys) {
  Bench bench(nullptr, {.machine = [](MachineOptions& options) {
                auto stale = verifier::testing::GoodCertificates();
                stale.vcek = stale.ask;
                options.hypervisor.certificates =
                    verifier::testing::PackTable(stale);
              }});
  const Outcome outcome = bench.Run();
  EXPECT_TRUE(outcome.ok() && outcome.end == "kernel") << outcome.ToString();
}

TEST(HostileGuestRequestTest, ATableThatNeedsALargerBufferIsAskedForAgain) {
  const Outcome outcome =
      RunGuest(nullptr, {.machine = [](MachineOptions& options) {
                 WithCertificates(options);
                 options.hypervisor.certificates.resize(8 * 4096);
               }});
  EXPECT_EQ(outcome.end, "kernel") << outcome.ToString();
  EXPECT_EQ(outcome.guest_messages, 1u);
  EXPECT_GE(outcome.repeated_messages, 1);
}

// The host says how many pages it wants, each time anew.
class Demanding final : public AtExits {
 public:
  Demanding(uint64_t pages, uint64_t more)
      : AtExits(Is(Cause::kExtendedRequest), kAlways),
        pages_(pages),
        more_(more) {}
  Verdict Before(Machine& machine, Exit& exit) override {
    if (!Take(exit)) return Verdict::kContinue;
    // The buffer has a bound: nobody asks for ever.
    if (acted() > 8) return Verdict::kStop;
    Answer(machine, exit, uint64_t{sev::kGuestRequestInvalidLength} << 32);
    GhcbOf(machine, exit).Set<f::Rbx>(pages_);
    pages_ += more_;
    return Verdict::kHandled;
  }

 private:
  uint64_t pages_;
  const uint64_t more_;
};

TEST(HostileGuestRequestTest, ACertificateTableLargerThanSaidDoesNoHarm) {
  BranchAt brancher(Is(Cause::kExtendedRequest), [](Machine&, const Exit&) {
    std::vector<Branch> branches;
    for (const uint64_t pages : {uint64_t{0}, uint64_t{8}, uint64_t{9},
                                 uint64_t{1} << 52, ~uint64_t{0}}) {
      branches.push_back(
          Going<Demanding>(absl::StrCat(pages, " pages"), pages, uint64_t{0}));
    }
    branches.push_back(
        Going<Demanding>("one more each time", uint64_t{5}, uint64_t{1}));
    return branches;
  });
  for (const BranchReport& report : RunBranches(brancher)) {
    EXPECT_TRUE(report.acted) << report.name;
    EXPECT_EQ(report.end, "kernel") << report.name;
  }
}

// What is in the buffer is the host's: entries that lead outside of it, wrap,
// overlap, go on for ever.
TEST(HostileGuestRequestTest, ACertificateTableThatLiesDoesNoHarm) {
  struct Row {
    std::string name;
    std::function<void(base::MutableBytes)> write;
  };
  const auto entry = [](base::MutableBytes out, size_t index, uint32_t offset,
                        uint32_t length) {
    const base::MutableBytes at = out.subspan(index * 24, 24);
    const auto& guid = sev::kGuidVcek;
    std::copy(guid.begin(), guid.end(), at.begin());
    base::StoreLe<uint32_t>(offset, at.subspan<16, 4>());
    base::StoreLe<uint32_t>(length, at.subspan<20, 4>());
  };
  std::vector<Row> rows = {
      {"zeros",
       [](base::MutableBytes out) { memset(out.data(), 0, out.size()); }},
      {"ones",
       [](base::MutableBytes out) { memset(out.data(), 0xFF, out.size()); }},
      {"behind the end",
       [&](base::MutableBytes out) {
         entry(out, 0, static_cast<uint32_t>(out.size()), 4096);
       }},
      {"longer than the buffer",
       [&](base::MutableBytes out) { entry(out, 0, 48, 0x7FFFFFFF); }},
      {"wraps",
       [&](base::MutableBytes out) { entry(out, 0, 0xFFFFFFF0, 0x100); }},
      {"in the table itself",
       [&](base::MutableBytes out) { entry(out, 0, 0, 2048); }},
      {"no end",
       [&](base::MutableBytes out) {
         for (size_t i = 0; i + 1 < out.size() / 24; ++i) {
           entry(out, i, 4096, 1000);
         }
       }},
  };
  for (uint64_t seed = 0; seed < 2; ++seed) {
    rows.push_back(
        {absl::StrCat("random ", seed),
         [seed](base::MutableBytes out) { SeededRandom(seed).Fill(out); }});
  }
  BranchAt brancher(Is(Cause::kExtendedRequest), [&](Machine&, const Exit&) {
    std::vector<Branch> branches;
    for (const Row& row : rows) {
      branches.push_back(Going<Afterwards>(
          row.name, Is(Cause::kExtendedRequest), 1,
          [write = row.write](Machine& machine, Exit& exit) {
            // RAX and RBX of the request: where, and how many pages.
            write(machine.host().Shared(exit.rax, exit.rbx * 4096));
          }));
    }
    return branches;
  });
  for (const BranchReport& report :
       RunBranches(brancher, {.machine = WithCertificates})) {
    EXPECT_TRUE(report.acted) << report.name;
  }
}

}  // namespace
}  // namespace hostile
