// SPDX-License-Identifier: Apache-2.0
//
// A hypervisor that injects NMIs while a guest that fails wipes its keys: what
// is interrupted is begun again (svsm/panic/fail.h).
// Spec: AMD 24593 (APM volume 2), 15.20.
#include <stdint.h>

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "gtest/gtest.h"
#include "sev/ghcb.h"
#include "tests/hostile/bench.h"
#include "tests/hostile/branches.h"
#include "tests/hostile/needles.h"
#include "tests/hostile/scripts.h"

namespace hostile {
namespace {

using machine::MemoryRange;

namespace f = sev::ghcb_layout;
constexpr uint8_t kNmi = 2;

using Moment = bool (*)(Machine& machine, const Exit& exit);

// The host lies while the guest closes its channels: VMPCK0 is not wiped yet,
// and the secret is in all places that it ever is in.
bool IsClosing(Machine& machine, const Exit& exit) {
  return IsPage(Cause::kPageState)(exit) &&
         machine.trace().console().find("handing-over") != std::string::npos;
}
// Or when it asks for its report, while TLS has all its keys.
bool IsAsking(Machine&, const Exit& exit) { return IsGuestRequest()(exit); }
void Lie(Machine& machine, const Exit& exit) {
  GhcbOf(machine, exit).Set<f::SwExitInfo1>(3);
}

// How many lines say that the guest failed: each is printed before last acts
// are begun.
int Failures(const Machine& machine) {
  constexpr std::string_view kWord = "forelock: failed: ";
  const std::string& console = machine.trace().console();
  int count = 0;
  for (size_t at = console.find(kWord); at != std::string::npos;
       at = console.find(kWord, at)) {
    at = console.find('\n', at);
    if (at == std::string::npos) break;
    ++count;
  }
  return count;
}

// From the end of the message on: `count` NMIs, the first after `first`
// instructions, the second as long after the next message, each next one as
// long after the one before it: in the handler's own last acts.
class Interrupting final : public Script {
 public:
  Interrupting(uint64_t first, int count) : first_(first), left_(count) {}

  void After(Machine& machine, Exit& exit) override {
    const int failures = Failures(machine);
    if (failures == failures_) return;
    failures_ = failures;
    if (failures == 1) began_ = exit.instructions;
    if (left_ > 0) machine.cpu().NotifyAt(exit.instructions + first_);
  }
  void OnCount(Machine& machine) override {
    machine.cpu().Inject({.vector = kNmi});
    // In an exception that an exception interrupts nothing is printed.
    const bool nested = failures_ > 1;
    if (--left_ > 0 && nested) {
      machine.cpu().NotifyAt(machine.cpu().instructions() + first_);
    }
    if (left_ == 0) Act();
  }
  // When the message had been printed.
  uint64_t began() const { return began_; }

 private:
  const uint64_t first_;
  int left_, failures_ = 0;
  uint64_t began_ = 0;
};

// The same failure without an NMI.
class Failing final : public Script {
 public:
  explicit Failing(Moment moment) : moment_(moment) {}
  void After(Machine& machine, Exit& exit) override {
    if (acted() == 0 && moment_(machine, exit)) {
      Act();
      Lie(machine, exit);
    }
    watch.After(machine, exit);
  }
  Interrupting watch{0, 0};

 private:
  const Moment moment_;
};

// The proxy is told after the wipes: that needs nothing that they took.
TEST(HostileLastActsTest, AFailureIsReportedAfterTheWipes) {
  Failing failing(IsAsking);
  Bench bench(&failing);
  const Outcome outcome = bench.Run();
  EXPECT_TRUE(outcome.ok());
  EXPECT_EQ(outcome.end, "SP15") << outcome.ToString();
  EXPECT_NE(bench.peer().reported_reason(), 0u);
  EXPECT_EQ(outcome.console.find("exception"), std::string::npos)
      << outcome.console;
}

class AtTheFailure final : public Brancher {
 public:
  using Make = std::function<std::vector<Branch>(Machine&)>;
  AtTheFailure(Moment moment, Make make)
      : moment_(moment), make_(std::move(make)) {}

 private:
  void AfterExit(Machine& machine, const Exit& exit) override {
    if (tried_ || !moment_(machine, exit)) return;
    tried_ = true;
    std::vector<Branch> branches = make_(machine);
    for (Branch& branch : branches) {
      branch.act = [exit](Machine& m) { Lie(m, exit); };
    }
    Try(machine, branches);
  }

  const Moment moment_;
  const Make make_;
  bool tried_ = false;
};

TEST(HostileLastActsTest, NoNmiKeepsAKeyFromBeingWiped) {
  Failing failing(IsClosing);
  const Outcome failed = RunGuest(&failing);
  EXPECT_EQ(failed.end, "SP15") << failed.ToString();
  ASSERT_EQ(failing.acted(), 1);
  const uint64_t length = failed.result.instructions - failing.watch.began();
  // VMPCK0 goes first, at once; the wipes are most of the rest.
  ASSERT_GT(length, 10'000u);
  std::vector<uint64_t> points;
  for (uint64_t at = 0; at < 480; at += 16) points.push_back(at);
  for (uint64_t i = 1; i < 12; ++i) points.push_back(length * i / 12);
  std::vector<Branch> branches;
  for (const uint64_t point : points) {
    for (const int count : {1, 2, 3}) {
      branches.push_back(Going<Interrupting>(
          absl::StrCat(count, " from ", point), point, count));
    }
  }
  AtTheFailure brancher(IsClosing, [&branches](Machine&) { return branches; });
  const auto reports = RunBranches(brancher);
  size_t acted = 0;
  for (const BranchReport& report : reports) {
    acted += report.acted ? 1 : 0;
    EXPECT_EQ(report.end, "SP15") << report.name << "\n" << report.text;
  }
  EXPECT_EQ(reports.size(), branches.size());
  // An NMI within the console's exit: then there is no message to wait for.
  EXPECT_GT(acted, reports.size() * 3 / 4) << reports.size();
}

// --- Aimed.

// Of one connection, two of them of the handshake.
constexpr size_t kTlsSecrets = 5;

// Where all of VMPCK0, of the secret and of TLS's is, in private memory.
std::vector<uint64_t> KeysIn(Machine& machine, bool with_tls) {
  Needles needles;
  needles.Add("", machine.firmware().vmpck0_for_tests().RevealSecret());
  needles.Add("", TheOwner().secret());
  const auto& tls = TheOwner().tls_secrets();
  EXPECT_GE(tls.size(), kTlsSecrets);
  for (size_t i = tls.size() - kTlsSecrets; with_tls && i < tls.size(); ++i) {
    needles.Add("", tls[i]);
  }
  std::vector<uint64_t> places;
  for (const MemoryRange& range : machine.memory().ranges()) {
    for (const base::Bytes part :
         ResidentParts({range.private_bytes, range.size})) {
      const auto start =
          static_cast<uint64_t>(part.data() - range.private_bytes);
      for (const Needles::Hit& hit : needles.FindIn(part)) {
        if (hit.whole) places.push_back(range.gpa + start + hit.offset);
      }
    }
  }
  return places;
}

// An NMI at each wipe of the bytes at `gpa`, `count` times.
class AtEachWipe final : public Script {
 public:
  AtEachWipe(uint64_t gpa, int count) : gpa_(gpa), left_(count) {}
  void OnStart(Machine& machine) override {
    machine.cpu().Watch(gpa_ & ~uint64_t{4095}, 4096);
  }
  void OnWatchedAccess(Machine& machine, const WatchedAccess& access) override {
    const uint64_t now = machine.cpu().instructions();
    if (access.access != Access::kWrite || access.gpa + 8 <= gpa_ ||
        access.gpa >= gpa_ + 32 || left_ == 0) {
      return;
    }
    // The stores of one wipe are near each other.
    if (last_ != 0 && now < last_ + kOneWipe) return;
    last_ = now;
    machine.cpu().Inject({.vector = kNmi});
    if (--left_ == 0) Act();
  }

 private:
  static constexpr uint64_t kOneWipe = 64;

  const uint64_t gpa_;
  int left_;
  uint64_t last_ = 0;
};

// As often as the guest tries again, but for the last time.
constexpr int kMost = 15;

TEST(HostileLastActsTest, AWipeThatIsInterruptedIsBegunAgain) {
  struct Row {
    Moment moment;
    bool tls;
    size_t places;
  };
  for (const Row& row : {
           // VMPCK0 twice, TLS's application and exporter secrets.
           Row{IsAsking, true, 5},
           // VMPCK0 twice, the secret as it came and for the kernel. TLS is
           // over.
           Row{IsClosing, true, 4},
       }) {
    size_t places = 0;
    AtTheFailure brancher(row.moment, [&](Machine& machine) {
      std::vector<Branch> branches;
      const std::vector<uint64_t> keys = KeysIn(machine, row.tls);
      places = keys.size();
      for (const uint64_t gpa : keys) {
        for (const int count : {1, 3, kMost}) {
          branches.push_back(Going<AtEachWipe>(
              absl::StrCat(count, " at ", absl::Hex(gpa)), gpa, count));
        }
      }
      return branches;
    });
    for (const BranchReport& report : RunBranches(brancher)) {
      EXPECT_TRUE(report.acted) << report.name;
      // What fails may wipe before it says so: then the NMI is the reason.
      EXPECT_TRUE(report.end == "SP15" || report.end == "SM3")
          << report.name << " " << report.end << "\n"
          << report.text;
    }
    EXPECT_EQ(places, row.places);
  }
}

}  // namespace
}  // namespace hostile
