// SPDX-License-Identifier: Apache-2.0
#include "svsm/panic/fail.h"

#include "base/reasons.h"
#include "svsm/console/console.h"
#include "svsm/console/line.h"
#include "svsm/hw/cpu.h"
#include "svsm/panic/reason_text.h"
#include "svsm/reasons.h"

namespace svsm {

constinit LastActs last_acts;

namespace {

// PM1a control of ICH9 as QEMU's q35 sets it up; 0x2000 is SLP_EN, type 0.
constexpr uint16_t kPm1aControl = 0x604;
constexpr uint16_t kSoftOff = 0x2000;

constinit bool failing = false;

// At most once, even if it raises an exception.
void Do(void (*&act)()) {
  void (*const function)() = act;
  act = nullptr;
  if (function != nullptr) function();
}

void DoLastActs() {
  Do(last_acts.clear_shared_pages);
  Do(last_acts.destroy_keys);
}

void PrintFailure(base::Status why) {
  Line line;
  line << "failed: " << base::NameOf(why.reason()).text << " "
       << ReasonText(why.reason());
  console::Print(line);
}

}  // namespace

void PowerOff() {
  DoLastActs();
  console::Print(Line() << "powering off");
  console::Flush();
  CutPower();
}

void CutPower() {
  DoLastActs();
  hw::Out16(kPm1aControl, kSoftOff);
  hw::HaltForever();
}

void Fail(base::Status why) {
  // A failure of a last act: print this one too, and try no further.
  if (failing) FailInException(why);
  failing = true;
  if (why.ok()) why = base::Status(base::Code::kInternal, kTrap);
  // Printed first: whatever comes of the rest, the reason is there.
  PrintFailure(why);
  Do(last_acts.destroy_keys);
  if (last_acts.report != nullptr) last_acts.report(why);
  PowerOff();
}

void FailInException(base::Status why) {
  failing = true;
  // Printed first: destroying keys walks structures that may be the cause.
  PrintFailure(why);
  PowerOff();
}

}  // namespace svsm
