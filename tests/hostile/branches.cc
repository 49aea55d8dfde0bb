// SPDX-License-Identifier: Apache-2.0
#include "tests/hostile/branches.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace hostile {
namespace {

// A child that the instruction limit does not end is ended all the same.
constexpr unsigned kPatienceSeconds = 120;

void WriteAll(int fd, const std::string& text) {
  for (size_t at = 0; at < text.size();) {
    const ssize_t written = write(fd, text.data() + at, text.size() - at);
    if (written <= 0) _exit(3);
    at += static_cast<size_t>(written);
  }
}

std::string ReadAll(int fd) {
  std::string text;
  char buffer[4096];
  for (;;) {
    const ssize_t size = read(fd, buffer, sizeof(buffer));
    if (size <= 0) return text;
    text.append(buffer, static_cast<size_t>(size));
  }
}

}  // namespace

ExitHook::Verdict Brancher::Before(Machine& machine, Exit& exit) {
  if (!in_child_) AtExit(machine, exit);
  return then_ != nullptr ? then_->Before(machine, exit) : Verdict::kContinue;
}
void Brancher::After(Machine& machine, Exit& exit) {
  if (!in_child_) AfterExit(machine, exit);
  if (then_ != nullptr) then_->After(machine, exit);
}
void Brancher::OnPause(Machine& machine) {
  if (!in_child_) AtPause(machine);
  if (then_ != nullptr) then_->OnPause(machine);
}
void Brancher::OnCount(Machine& machine) {
  if (!in_child_) AtCount(machine);
  if (then_ != nullptr) then_->OnCount(machine);
}
void Brancher::OnWatchedAccess(Machine& machine, const WatchedAccess& access) {
  if (then_ != nullptr) then_->OnWatchedAccess(machine, access);
}
bool Brancher::OnNestedFault(Machine& machine, const NestedFault& fault) {
  return then_ != nullptr && then_->OnNestedFault(machine, fault);
}

void Brancher::Try(Machine& machine, const std::vector<Branch>& branches) {
  for (const Branch& branch : branches) {
    if (in_child_) return;
    int ends[2];
    if (pipe(ends) != 0) abort();
    fflush(nullptr);
    const pid_t child = fork();
    if (child < 0) abort();
    if (child != 0) {
      close(ends[1]);
      Report(child, ends[0], branch.name);
      close(ends[0]);
      continue;
    }
    close(ends[0]);
    to_parent_ = ends[1];
    in_child_ = true;
    const uint64_t reports = reports_.size() + 1;
    reports_.clear();
    alarm(kPatienceSeconds);
    SeedGuest(branch.seed != 0
                  ? branch.seed
                  : std::hash<std::string>()(branch.name) ^ reports << 48);
    if (branch.then) {
      then_ = branch.then();
      then_->OnStart(machine);
    }
    if (branch.act) branch.act(machine);
    return;
  }
}

// The child's words: end, ok, acted, granted, then text.
void Brancher::Report(int child, int from_child, const std::string& name) {
  BranchReport report{.name = name, .end = "crash"};
  const std::string text = ReadAll(from_child);
  int status = 0;
  const bool ended = waitpid(child, &status, 0) == child && WIFEXITED(status) &&
                     WEXITSTATUS(status) == 0;
  const size_t line = text.find('\n');
  if (ended && line != std::string::npos && line >= 3) {
    report.ok = text[0] == '1';
    report.acted = text[1] == '1';
    report.granted = text[2] == '1';
    report.end = text.substr(3, line - 3);
    report.text = text.substr(line + 1);
  } else {
    report.text = absl::StrCat("the child died: status ", status, "\n", text);
  }
  reports_.push_back(std::move(report));
}

void Brancher::EndChild(const Outcome& outcome) {
  const bool acted = then_ == nullptr || then_->acted() > 0;
  WriteAll(to_parent_,
           absl::StrCat(outcome.ok() ? "1" : "0", acted ? "1" : "0",
                        outcome.granted ? "1" : "0", outcome.end, "\n",
                        outcome.ok() ? "" : outcome.ToString()));
  // Nothing that the parent will do again: no destructors, no test results.
  _exit(0);
}

Outcome CollectBranches(Brancher& brancher, const BenchOptions& options) {
  Bench bench(&brancher, options);
  Outcome outcome = bench.Run();
  if (brancher.in_child()) brancher.EndChild(outcome);
  return outcome;
}

std::vector<BranchReport> RunBranches(Brancher& brancher,
                                      const BenchOptions& options) {
  const Outcome outcome = CollectBranches(brancher, options);
  EXPECT_TRUE(outcome.ok()) << outcome.ToString();
  EXPECT_FALSE(brancher.reports().empty()) << "no moment was found";
  for (const BranchReport& report : brancher.reports()) {
    EXPECT_TRUE(report.ok) << report.name << "\n" << report.text;
  }
  return brancher.reports();
}

std::string Tally(const std::vector<BranchReport>& reports) {
  std::map<std::string, int> ends;
  for (const BranchReport& report : reports) ++ends[report.end];
  std::string text;
  for (const auto& [end, count] : ends) {
    absl::StrAppend(&text, text.empty() ? "" : ", ", end, " ", count);
  }
  return text;
}

}  // namespace hostile
