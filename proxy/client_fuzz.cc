// SPDX-License-Identifier: Apache-2.0
//
// The guest's client against a host that writes what the input says: words of
// the header page, raw ring bytes, well-formed frames with wild bodies.
#include <string.h>

#include <memory>

#include "base/bytes.h"
#include "proto/channel.h"
#include "proxy/client.h"
#include "proxy/frame.h"
#include "proxy/guest_transport.h"
#include "proxy/page_layout.h"
#include "proxy/testing/loopback_machine.h"
#include "proxy/testing/scripted_host.h"
#include "tools/fuzz_seed.h"

namespace {

using proxy::testing::LoopbackMachine;
using proxy::testing::ScriptedHost;

constexpr uint8_t kName[] = {'v', 'm'};

// One act of the host: an opcode, a length, that many bytes.
void Act(LoopbackMachine& machine, ScriptedHost& host, base::ByteReader& in) {
  const auto op = in.U8();
  const auto size = in.U8();
  if (!op.ok() || !size.ok()) return;
  const auto bytes = in.Take(*size);
  if (!bytes.ok()) return;
  if (*op < 0x80) {
    // The host's words lie in the first 0x200 bytes.
    if (bytes->size() < 4) return;
    machine.range().Store32(uint32_t{*op} * 4,
                            base::LoadLe<uint32_t>(bytes->first<4>()));
  } else if (*op < 0x90) {
    machine.range().CopyIn(proxy::page::kToGuestData, *bytes);
  } else if (host.endpoint->attached()) {
    (void)host.endpoint->channel().Send(
        static_cast<proxy::FrameType>(*op & 0x2F), *bytes);
  }
}

}  // namespace

extern "C" size_t ForelockFuzzSeed(size_t index, uint8_t* out, size_t) {
  static constexpr uint8_t kSeeds[][8] = {
      {0x98, 4, 0x08, 1, 0x12, 0, 0, 0},  // Data
      {0x9A, 4, 0x08, 1, 0x10, 1, 0, 0},  // Close
      {0x99, 4, 0x08, 1, 0x10, 0x7F, 0},  // Credit
      {0x50, 4, 1, 0, 1, 0, 0, 0},        // ring head
      {0x11, 4, 1, 0, 1, 0, 0, 0},        // status
  };
  if (index >= sizeof(kSeeds) / sizeof(kSeeds[0])) return 0;
  memcpy(out, kSeeds[index], 8);
  return 8;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  LoopbackMachine machine;
  ScriptedHost host(machine);
  proxy::GuestPageTransport transport(machine.range(), machine,
                                      proxy::kProxyReadBack, machine);
  const auto client = std::make_unique<proxy::Client>(transport, machine);
  base::ByteReader in({data, size});
  if (!client->Connect(kName, machine.In(100)).ok()) __builtin_trap();
  if (!client->OpenStream(kName, machine.In(100)).ok()) __builtin_trap();
  while (in.remaining() > 0) {
    Act(machine, host, in);
    uint8_t out[64];
    (void)client->stream().Write(kName);
    (void)client->stream().Read(out);
    machine.Relax();
    if (in.remaining() == 1) break;
  }
  // Never more than QEMU takes, and at the end always an empty page.
  if (machine.most_queued > LoopbackMachine::kQemuBuffer) __builtin_trap();
  client->Close(machine.In(5));
  if (machine.range().Load32(proxy::page::kToHostHead) != 0) __builtin_trap();
  return 0;
}
