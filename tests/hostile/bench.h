// SPDX-License-Identifier: Apache-2.0
//
// Bench: one guest on the SNP machine, its owner in the same process, a hostile
// hypervisor between them, and the judge of what becomes of it.
//
// Whatever a host does, a guest may end in one of three ways: terminated with a
// reason of ours, switched off after it printed a reason, or in the kernel,
// with everything as it should be. Always forbidden: a secret, VMPCK0 or a
// secret of TLS in memory that the host sees; two messages under one nonce; a
// validated page validated again; a hang; keys left in memory at the end,
// schedules of any AES key among them.
#pragma once

#include <stdint.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "machine/exit_hook.h"
#include "machine/machine.h"
#include "tests/hostile/channel_peer.h"
#include "tests/hostile/guest.h"
#include "tests/hostile/needles.h"
#include "tests/hostile/nonce_watch.h"

namespace hostile {

using machine::Exit;
using machine::ExitHook;
using machine::Machine;
using machine::MachineOptions;
using machine::MachineResult;
using machine::NestedFault;
using machine::WatchedAccess;

// What a hostile hypervisor does to one guest.
class Script : public ExitHook {
 public:
  // Before the guest's first instruction.
  virtual void OnStart(Machine& machine) { (void)machine; }
  // How often it did what it is for. A script that never acted shows nothing.
  int acted() const { return acted_; }

 protected:
  void Act() { ++acted_; }

 private:
  int acted_ = 0;
};

// What a script's nature allows besides the three ways.
struct Allowance {
  bool shutdown = false;   // A triple fault: there was no IDT yet.
  bool violation = false;  // The host took a page away under the guest.
  // Another CPU ended the VM: the first could wipe nothing.
  bool keys = false;
  // The host launched something else than the owner's image: it may end as it
  // likes, but without a secret.
  bool other_image = false;
};

// Of the guest, all below 4 GiB. As little as the image and its kernel need:
// each run validates all of it, and the judge reads all of it.
inline constexpr uint64_t kBenchRam = uint64_t{32} << 20;

struct BenchOptions {
  const Guest* guest = nullptr;  // PlainGuest()
  std::function<void(MachineOptions&)> machine;
  std::function<void(ChannelPeer&)> peer;
  Allowance allow;
  uint64_t instruction_limit = 3'000'000'000;
  // Of its random numbers; 0: another for each guest of the process.
  uint64_t seed = 0;
  // The run is over, and well, when the guest has printed this.
  std::string stop_at;
};

struct Outcome {
  MachineResult result;
  // "kernel", "SM4" (terminated with it), "off SR8" (printed, then off),
  // "refused", "violation", "shutdown", "halted", "limit", "stopped".
  std::string end;
  std::vector<std::string> complaints;  // Of the judge; none is well.
  std::string console, owner_log;
  uint64_t exits = 0;
  bool granted = false;  // The owner gave its secret.
  // Guest requests that the host saw, and how often one came again.
  size_t guest_messages = 0;
  int repeated_messages = 0;

  bool ok() const { return complaints.empty(); }
  // All of it, for people.
  std::string ToString() const;
};

class Bench final : private ExitHook {
 public:
  // `script` may be null, and outlives the bench.
  explicit Bench(Script* script, const BenchOptions& options = {});
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  // Until the guest ends, or `script` stops it: then it may run again.
  Outcome Run();

  Machine& machine() { return *machine_; }
  ChannelPeer& peer() { return *peer_; }
  const Guest& guest() const { return guest_; }
  void set_script(Script* script) { script_ = script; }

 private:
  Verdict Before(Machine& machine, Exit& exit) override;
  void After(Machine& machine, Exit& exit) override;
  void OnPause(Machine& machine) override;
  void OnCount(Machine& machine) override;
  void OnWatchedAccess(Machine& machine, const WatchedAccess& access) override;
  bool OnNestedFault(Machine& machine, const NestedFault& fault) override;

  void JudgeRequest(const Exit& exit);
  void JudgeGhcb(const Exit& exit);
  void JudgeEnd(Outcome& outcome);
  void JudgeTermination(Outcome& outcome);
  void JudgeKernel(const Outcome& outcome);
  void JudgeShared();
  void JudgePrivate(const Outcome& outcome);
  // The secret, VMPCK0, then TLS's.
  Needles Secrets() const;
  void Complain(std::string what);

  Script* script_;
  const BenchOptions options_;
  const Guest& guest_;
  // TLS secrets of earlier guests are nobody's any more.
  const size_t first_tls_secret_;
  std::unique_ptr<Machine> machine_;
  std::unique_ptr<ChannelPeer> peer_;
  NonceWatch nonces_;
  std::vector<std::string> complaints_;
};

// A run, judged: the test fails if the judge complains.
Outcome RunGuest(Script* script = nullptr, const BenchOptions& options = {});

}  // namespace hostile
