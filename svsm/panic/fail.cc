// SPDX-License-Identifier: Apache-2.0
#include "svsm/panic/fail.h"

#include <stddef.h>
#include <stdint.h>

#include <array>
#include <atomic>
#include <tuple>

#include "base/reasons.h"
#include "svsm/console/console.h"
#include "svsm/console/line.h"
#include "svsm/panic/reason_text.h"
#include "svsm/platform/platform.h"
#include "svsm/reasons.h"

namespace svsm {

constinit LastActs last_acts;

namespace {

constinit bool failing = false;
// The failure that the host is told of: the first.
constinit base::Status first_failure;

constinit uint8_t tries_of_clear = 0;
constinit std::array<uint8_t, std::tuple_size_v<decltype(LastActs::wipes)>>
    tries_of_wipes{};

// An exception in it ends in CutPower(), and that comes back here.
void Do(void (*&act)(), uint8_t& tries) {
  if (act == nullptr || tries == LastActs::kTries) return;
  ++tries;
  // Written before the act, whatever the compiler sees of it.
  std::atomic_signal_fence(std::memory_order_seq_cst);
  act();
  act = nullptr;
}

void Wipe() {
  for (size_t i = 0; i < tries_of_wipes.size(); ++i) {
    Do(last_acts.wipes[i], tries_of_wipes[i]);
  }
}

void DoLastActs() {
  Do(last_acts.clear_shared_pages, tries_of_clear);
  Wipe();
}

void PrintFailure(base::Status why) {
  // Behind the end of the boot's time the console waits for no byte: a device
  // that is not ready at once would show the first one only.
  if (last_acts.allow_last_word != nullptr) last_acts.allow_last_word();
  Line line;
  line << "failed: " << base::NameOf(why.reason()).text << " "
       << ReasonText(why.reason());
  console::Print(line);
}

}  // namespace

void RecordFailure(base::Status why) {
  if (first_failure.ok()) first_failure = why;
}

void PowerOff() {
  DoLastActs();
  console::Print(Line() << "powering off");
  console::Flush();
  CutPower(base::Status());
}

void CutPower(base::Status why) {
  RecordFailure(why);
  DoLastActs();
  // A failure is the platform's to tell; nothing has failed: just off.
  if (first_failure.ok()) ThePlatform().Out16(kPm1aControl, kSoftOff);
  // A loop, because a compiler need not believe a virtual function's noreturn.
  for (;;) ThePlatform().Stop(first_failure);
}

void Fail(base::Status why) {
  // A failure of a last act: print this one too, and try no further.
  if (failing) FailInException(why);
  failing = true;
  if (why.ok()) why = base::Status(base::Code::kInternal, kTrap);
  RecordFailure(why);
  // Printed first: whatever comes of the rest, the reason is there.
  PrintFailure(why);
  Wipe();
  if (last_acts.report != nullptr) last_acts.report(why);
  PowerOff();
}

void FailInException(base::Status why) {
  failing = true;
  RecordFailure(why);
  // Printed first: destroying keys walks structures that may be the cause.
  PrintFailure(why);
  PowerOff();
}

}  // namespace svsm
