// SPDX-License-Identifier: Apache-2.0
//
// The daemon's side of one VM against a guest that writes what the input says:
// port bytes, words of the page, the ring, frames with wild bodies.
#include <string.h>

#include <memory>

#include "base/bytes.h"
#include "host-proxy/testing/session_fixture.h"
#include "proto/channel.h"
#include "proxy/frame.h"
#include "proxy/page_layout.h"
#include "proxy/registration.h"
#include "proxy/ring.h"
#include "proxy/testing/loopback_machine.h"
#include "tools/fuzz_seed.h"

namespace {

using proxy::testing::LoopbackMachine;

void Register(LoopbackMachine& machine, proxy::RingWriter& ring) {
  machine.range().Zero(0, proxy::kPageSize);
  ring.Reset(machine.range(), proxy::kToHostRing);
  for (const uint8_t byte :
       proxy::EncodeRegistration({.gpa = LoopbackMachine::kGpa,
                                  .length = proxy::kSharedRangeSize,
                                  .session = 1})) {
    machine.Write(byte);
  }
}

void SendFrame(proxy::RingWriter& ring, uint8_t type, base::Bytes body) {
  (void)ring.Write(
      proxy::EncodeFrameHeader({.type = static_cast<proxy::FrameType>(type),
                                .length = static_cast<uint32_t>(body.size())}));
  (void)ring.Write(body);
}

// An opcode, a length, that many bytes.
void Act(LoopbackMachine& machine, proxy::RingWriter& ring,
         base::ByteReader& in) {
  const auto op = in.U8();
  const auto size = in.U8();
  if (!op.ok() || !size.ok()) return;
  const auto bytes = in.Take(*size);
  if (!bytes.ok()) return;
  if (*op < 0x80) {
    if (bytes->size() < 4) return;
    machine.range().Store32(uint32_t{*op} * 4,
                            base::LoadLe<uint32_t>(bytes->first<4>()));
  } else if (*op < 0x88) {
    for (const uint8_t byte : *bytes) machine.Write(byte);
  } else if (*op < 0x90) {
    (void)ring.Write(*bytes);
  } else if (*op < 0x94) {
    Register(machine, ring);
  } else {
    SendFrame(ring, *op & 0x2F, *bytes);
  }
  machine.Write(proxy::kDoorbellByte);
}

constexpr uint8_t kName[] = {'v'};

}  // namespace

extern "C" size_t ForelockFuzzSeed(size_t index, uint8_t* out, size_t) {
  if (index > 4) return 0;
  static constexpr uint8_t kSeeds[5][12] = {
      {0xC5, 5, 0x08, 1, 0x12, 1, 'v', 0xC8, 3, 0x08, 1, 0},  // Open, Data
      {0xC9, 4, 0x08, 1, 0x10, 0x7F, 0xCA, 4, 0x08, 1, 0x10, 1},
      {0xCD, 4, 0x08, 7, 0x10, 1, 0xC3, 2, 0x08, 1},
      {0x30, 4, 1, 0, 1, 0, 0x60, 4, 0xFF, 0xFF, 0xFF, 0xFF},
      {0x80, 4, 'F', 'L', 'C', 'R', 0x92, 0, 0x88, 2, 1, 2},
  };
  memcpy(out, kSeeds[index], sizeof(kSeeds[index]));
  return sizeof(kSeeds[index]);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  LoopbackMachine machine;
  const auto host = std::make_unique<host_proxy::testing::SessionHost>(machine);
  proxy::RingWriter ring;
  Register(machine, ring);
  host->Turn();
  if (!host->endpoint.attached()) __builtin_trap();
  static uint8_t hello[256];
  const auto hello_size = proto::channel::Encode(
      proto::channel::Hello{1, 1, 4096, 4096, kName}, hello);
  SendFrame(ring, 1, base::Bytes(hello).first(*hello_size));
  base::ByteReader in({data, size});
  while (in.remaining() > 1) {
    Act(machine, ring, in);
    for (auto& peer : host->backend.peers) peer.to_guest.push_back(1);
    host->Turn();
    // Bounded whatever the guest does.
    for (const auto& peer : host->backend.peers) {
      if (peer.to_guest.size() > 1000) return 0;
    }
  }
  return 0;
}
