// SPDX-License-Identifier: Apache-2.0
//
// Branches: many ways in which one run may go on from a moment, each in a child
// process, which has all of it: machine, verifier, secure processor. So a
// moment is reached once, however much is tried there.
//
// One process at a time moves: a child ends before its parent goes on. (Only so
// may children share the verifier's database.)
#pragma once

#include <stdint.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/hostile/bench.h"

namespace hostile {

struct Branch {
  std::string name;
  // What happens at that moment, and what the host does afterwards; either may
  // be null.
  std::function<void(Machine&)> act;
  std::function<std::unique_ptr<Script>()> then;
  // Of its random numbers; 0: by name and place. The verifier takes no decision
  // id twice, so no two branches have the same.
  uint64_t seed = 0;
};

struct BranchReport {
  std::string name;
  std::string end;  // As Outcome::end; "crash" if the child died.
  bool ok = false;
  bool acted = true;  // Of `then`, if there is one.
  bool granted = false;
  std::string text;  // For people.
};

// A script that is honest but for its branches.
class Brancher : public Script {
 public:
  const std::vector<BranchReport>& reports() const { return reports_; }

  Verdict Before(Machine& machine, Exit& exit) final;
  void After(Machine& machine, Exit& exit) final;
  void OnPause(Machine& machine) final;
  void OnCount(Machine& machine) final;
  void OnWatchedAccess(Machine& machine, const WatchedAccess& access) final;
  bool OnNestedFault(Machine& machine, const NestedFault& fault) final;

 protected:
  // Where moments are found, in the parent only.
  virtual void AtExit(Machine& machine, const Exit& exit) {
    (void)machine, (void)exit;
  }
  virtual void AfterExit(Machine& machine, const Exit& exit) {
    (void)machine, (void)exit;
  }
  virtual void AtPause(Machine& machine) { (void)machine; }
  virtual void AtCount(Machine& machine) { (void)machine; }

  // Tries each, one after the other. In a child it returns too: the run goes
  // on there, and AtExit() and the others are not called again.
  void Try(Machine& machine, const std::vector<Branch>& branches);
  bool in_child() const { return in_child_; }

 private:
  friend Outcome CollectBranches(Brancher& brancher,
                                 const BenchOptions& options);
  void Report(int child, int from_child, const std::string& name);
  [[noreturn]] void EndChild(const Outcome& outcome);

  std::vector<BranchReport> reports_;
  bool in_child_ = false;
  int to_parent_ = -1;
  std::unique_ptr<Script> then_;
};

// Runs a guest with its branches; what came of them is in brancher.reports().
// In a child it does not return.
Outcome CollectBranches(Brancher& brancher, const BenchOptions& options = {});

// The same. The test fails if a judge complains of any of
// them.
std::vector<BranchReport> RunBranches(Brancher& brancher,
                                      const BenchOptions& options = {});

// How often each end came, for people: "kernel 12, SM3 40".
std::string Tally(const std::vector<BranchReport>& reports);

}  // namespace hostile
