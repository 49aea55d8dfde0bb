// SPDX-License-Identifier: Apache-2.0
//
// Small scripts that the tests of the hostile hypervisor are put together from.
#pragma once

#include <stdint.h>

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "machine/ghcb_page.h"
#include "sev/ghcb.h"
#include "tests/hostile/bench.h"
#include "tests/hostile/branches.h"

namespace hostile {

using machine::Access;
using machine::Cause;
using machine::GhcbPage;

// The GHCB page of a page exit, as the host has it.
inline GhcbPage GhcbOf(Machine& machine, const Exit& exit) {
  const base::MutableBytes page =
      machine.host().Shared(exit.msr, sev::kGhcbSize);
  if (page.empty()) abort();
  return GhcbPage(page.first<sev::kGhcbSize>());
}

inline void XorWord(base::MutableBytes bytes, size_t at, uint64_t mask) {
  const auto word = bytes.subspan(at).first<8>();
  base::StoreLe<uint64_t>(base::LoadLe<uint64_t>(word) ^ mask, word);
}

// Does something at exits that are wanted: all of them, or only the first
// `times`.
class AtExits : public Script {
 public:
  using Wanted = std::function<bool(const Exit&)>;
  AtExits(Wanted wanted, int times)
      : wanted_(std::move(wanted)), left_(times) {}

 protected:
  bool Take(const Exit& exit) {
    if (left_ == 0 || !wanted_(exit)) return false;
    --left_;
    Act();
    return true;
  }

 private:
  const Wanted wanted_;
  int left_;
};
inline constexpr int kAlways = -1;

// Answers in the honest hypervisor's place: with what `answer` does, or not at
// all.
class Instead final : public AtExits {
 public:
  using Answer = std::function<void(Machine&, Exit&)>;
  Instead(Wanted wanted, int times, Answer answer = nullptr)
      : AtExits(std::move(wanted), times), answer_(std::move(answer)) {}
  Verdict Before(Machine& machine, Exit& exit) override {
    if (!Take(exit)) return Verdict::kContinue;
    if (answer_) answer_(machine, exit);
    return Verdict::kHandled;
  }

 private:
  const Answer answer_;
};

// Before the honest hypervisor sees the request.
class Ahead final : public AtExits {
 public:
  using Change = std::function<void(Machine&, Exit&)>;
  Ahead(Wanted wanted, int times, Change change)
      : AtExits(std::move(wanted), times), change_(std::move(change)) {}
  Verdict Before(Machine& machine, Exit& exit) override {
    if (Take(exit)) change_(machine, exit);
    return Verdict::kContinue;
  }

 private:
  const Change change_;
};

// After it has answered.
class Afterwards final : public AtExits {
 public:
  using Change = std::function<void(Machine&, Exit&)>;
  Afterwards(Wanted wanted, int times, Change change)
      : AtExits(std::move(wanted), times), change_(std::move(change)) {}
  void After(Machine& machine, Exit& exit) override {
    if (Take(exit)) change_(machine, exit);
  }

 private:
  const Change change_;
};

inline AtExits::Wanted Is(Cause cause) {
  return [cause](const Exit& exit) { return exit.cause == cause; };
}
inline AtExits::Wanted IsMsrProtocol() {
  return [](const Exit& exit) {
    return !exit.by_page && exit.cause != Cause::kTermination;
  };
}
inline AtExits::Wanted IsPage(Cause cause) {
  return
      [cause](const Exit& exit) { return exit.by_page && exit.cause == cause; };
}
inline AtExits::Wanted Any() {
  return [](const Exit&) { return true; };
}
inline AtExits::Wanted IsGuestRequest() {
  return [](const Exit& exit) {
    return exit.cause == Cause::kGuestRequest ||
           exit.cause == Cause::kExtendedRequest;
  };
}

// Memory that is another one each time that the guest looks: from the first
// exit that is wanted on, each `every`th read of the range finds one word of it
// changed by `mask`.
class Flipping final : public Script {
 public:
  struct Place {
    uint64_t gpa = 0, size = 0;
  };
  using Where = std::function<Place(Machine&, const Exit&)>;
  Flipping(AtExits::Wanted wanted, Where where, int every, uint64_t mask)
      : wanted_(std::move(wanted)),
        where_(std::move(where)),
        every_(every),
        mask_(mask) {}

  void After(Machine& machine, Exit& exit) override {
    if (watching_ || !wanted_(exit)) return;
    watching_ = true;
    const Place place = where_(machine, exit);
    machine.cpu().Watch(place.gpa, place.size);
  }
  void OnWatchedAccess(Machine& machine, const WatchedAccess& access) override {
    if (access.access != Access::kRead || access.c_bit) return;
    if (acted() == kMost || ++reads_ % every_ != 0) return;
    const base::MutableBytes word =
        machine.host().Shared(access.gpa & ~uint64_t{7}, 8);
    if (word.empty()) return;
    XorWord(word, 0, mask_);
    Act();
  }

 private:
  // Enough: a guest that waits for better is only slow.
  static constexpr int kMost = 200;

  const AtExits::Wanted wanted_;
  const Where where_;
  const int every_;
  const uint64_t mask_;
  bool watching_ = false;
  int reads_ = 0;
};
inline Flipping::Place GhcbPageOf(Machine&, const Exit& exit) {
  return {exit.msr, sev::kGhcbSize};
}

// A branch that goes on with a script of this kind.
template <typename S, typename... Arguments>
Branch Going(std::string name, Arguments... arguments) {
  return {.name = std::move(name), .then = [=] {
            return std::unique_ptr<Script>(std::make_unique<S>(arguments...));
          }};
}

// Tries the branches at the first exit that is wanted, before it is served.
class BranchAt final : public Brancher {
 public:
  using Make = std::function<std::vector<Branch>(Machine&, const Exit&)>;
  BranchAt(AtExits::Wanted wanted, Make make, int times = 1)
      : wanted_(std::move(wanted)), make_(std::move(make)), left_(times) {}

 private:
  void AtExit(Machine& machine, const Exit& exit) override {
    if (left_ == 0 || !wanted_(exit)) return;
    --left_;
    Try(machine, make_(machine, exit));
  }

  const AtExits::Wanted wanted_;
  const Make make_;
  int left_;
};

}  // namespace hostile
