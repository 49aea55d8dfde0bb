// SPDX-License-Identifier: Apache-2.0
#include "svsm/console/console.h"

#include "svsm/console/uart.h"
#include "svsm/hw/cpu.h"
#include "svsm/platform/platform.h"

namespace svsm::console {
namespace {

constinit base::Clock* the_clock = nullptr;

struct PortIo {
  static uint8_t In8(uint16_t port) { return ThePlatform().In8(port); }
  static void Out8(uint16_t port, uint8_t value) {
    ThePlatform().Out8(port, value);
  }
  static void Pause() { hw::Pause(); }
  static bool Late() {
    return the_clock != nullptr && the_clock->Passed(base::Instant{UINT64_MAX});
  }
};

constexpr uint16_t kCom1 = 0x3F8;
constinit Uart<PortIo> uart{PortIo(), kCom1};

}  // namespace

void Init() { uart.Init(); }

void HurryAfterEndOf(base::Clock& clock) { the_clock = &clock; }

void Print(const Line& line) {
  uart.Print("forelock: ");
  uart.Print(line.text());
  uart.Print("\n");
}

void PrintTimed(uint64_t elapsed_ns, const Line& line) {
  Line time;
  time << "forelock: [";
  time.Milliseconds(elapsed_ns) << " ms] ";
  uart.Print(time.text());
  uart.Print(line.text());
  uart.Print("\n");
}

void Flush() { uart.Flush(); }

}  // namespace svsm::console
