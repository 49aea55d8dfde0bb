// SPDX-License-Identifier: Apache-2.0
#include "tests/hostile/bench.h"

#include <stdlib.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "gtest/gtest.h"
#include "proxy/host/ram_file.h"
#include "proxy/reasons.h"
#include "proxy/shared_range.h"
#include "psp/testing.h"

namespace hostile {
namespace {

using psp::TestHierarchy;

constexpr size_t kMaxComplaints = 20;

MachineOptions OptionsFor(const Guest& guest, const BenchOptions& bench) {
  MachineOptions options;
  options.plan = guest.plan();
  options.memory.below_4g = kBenchRam;
  options.hierarchy = &TestHierarchy();
  const std::string& text = guest.command_line();
  options.fw_cfg = {{"opt/org.forelock/kernel", guest.kernel()},
                    {"opt/org.forelock/initrd", guest.initrd()},
                    {"opt/org.forelock/cmdline", {text.begin(), text.end()}}};
  options.symbols = guest.symbols();
  // No limit in seconds: children may run in between (branches.h).
  options.limits = {.instructions = bench.instruction_limit};
  if (bench.machine) bench.machine(options);
  return options;
}

}  // namespace

std::string Outcome::ToString() const {
  std::string text =
      absl::StrFormat("end: %s, %d exits, %d instructions, %s\n", end, exits,
                      result.instructions, granted ? "granted" : "not granted");
  for (const std::string& complaint : complaints) {
    absl::StrAppend(&text, "COMPLAINT: ", complaint, "\n");
  }
  absl::StrAppend(&text, result.ending.text, "\nconsole:\n", console,
                  "\nowner:\n", owner_log);
  return text;
}

Bench::Bench(Script* script, const BenchOptions& options)
    : script_(script),
      options_(options),
      guest_(options.guest != nullptr ? *options.guest : PlainGuest()),
      first_tls_secret_(TheOwner().tls_secrets().size()) {
  guest_.Accept();
  static uint64_t guests = 0;
  SeedGuest(options_.seed != 0 ? options_.seed : ++guests);
  MachineOptions machine_options = OptionsFor(guest_, options_);
  machine_options.hook = this;
  machine_options.doorbell = [this](uint8_t byte) {
    peer_->OnPortByte(byte);
    peer_->Turn();
  };
  auto machine = Machine::Create(std::move(machine_options));
  if (!machine.ok()) {
    ADD_FAILURE() << machine.status();
    abort();
  }
  machine_ = *std::move(machine);
  peer_ = std::make_unique<ChannelPeer>(
      TheOwner(),
      [this](const proxy::Registration& registration)
          -> base::Result<std::unique_ptr<proxy::host::MappedRange>> {
        // The host's mapping of RAM has the whole range, whatever the state of
        // its pages: the daemon knows nothing of them.
        const base::MutableBytes bytes =
            machine_->memory().Shared(registration.gpa, registration.length);
        if (bytes.empty()) {
          return base::Status(base::Code::kInvalidArgument,
                              proxy::kRangeOutsideRam);
        }
        return proxy::host::MappedRange::Borrow(
            {bytes.data(), registration.gpa, registration.length});
      });
  if (options_.peer) options_.peer(*peer_);
}

Outcome Bench::Run() {
  if (script_ != nullptr) script_->OnStart(*machine_);
  Outcome outcome;
  outcome.result = machine_->Run();
  outcome.console = machine_->trace().console();
  outcome.exits = machine_->trace().exits();
  outcome.owner_log = peer_->Log();
  outcome.granted = peer_->outcome() == proto::Outcome::kGranted;
  outcome.guest_messages = nonces_.messages();
  outcome.repeated_messages = nonces_.repetitions();
  JudgeEnd(outcome);
  outcome.complaints = complaints_;
  return outcome;
}

void Bench::Complain(std::string what) {
  if (complaints_.size() < kMaxComplaints &&
      std::find(complaints_.begin(), complaints_.end(), what) ==
          complaints_.end()) {
    complaints_.push_back(std::move(what));
  }
}

ExitHook::Verdict Bench::Before(Machine& machine, Exit& exit) {
  JudgeRequest(exit);
  JudgeGhcb(exit);
  return script_ == nullptr ? Verdict::kContinue
                            : script_->Before(machine, exit);
}
void Bench::After(Machine& machine, Exit& exit) {
  if (script_ != nullptr) script_->After(machine, exit);
  if (!options_.stop_at.empty() &&
      machine.trace().console().find(options_.stop_at) != std::string::npos) {
    machine.End({.text = "the bench has seen enough"});
  }
}
void Bench::OnPause(Machine& machine) {
  peer_->Turn();
  if (script_ != nullptr) script_->OnPause(machine);
}
void Bench::OnCount(Machine& machine) {
  if (script_ != nullptr) script_->OnCount(machine);
}
void Bench::OnWatchedAccess(Machine& machine, const WatchedAccess& access) {
  if (script_ != nullptr) script_->OnWatchedAccess(machine, access);
}
bool Bench::OnNestedFault(Machine& machine, const NestedFault& fault) {
  return script_ != nullptr && script_->OnNestedFault(machine, fault);
}

Outcome RunGuest(Script* script, const BenchOptions& options) {
  const Outcome outcome = Bench(script, options).Run();
  EXPECT_TRUE(outcome.ok()) << outcome.ToString();
  return outcome;
}

}  // namespace hostile
