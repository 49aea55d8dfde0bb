// SPDX-License-Identifier: Apache-2.0
//
// Every message of the channel; the first byte chooses which one reads.
#include <string.h>

#include "base/bytes.h"
#include "proto/channel.h"
#include "tools/fuzz_seed.h"

namespace {

using namespace proto::channel;

template <typename T>
void Read(base::Bytes body) {
  static Arena arena;
  static uint8_t again[kMaxBody];
  arena.Reset();
  const auto message = Decode<T>(body, arena);
  // What was accepted is within the limits, so it fits a frame.
  if (message.ok() && !Encode(*message, again).ok()) __builtin_trap();
}

using Reader = void (*)(base::Bytes);
constexpr Reader kReaders[] = {Read<Hello>,
                               Read<Welcome>,
                               Read<Ping>,
                               Read<Pong>,
                               Read<Open>,
                               Read<Opened>,
                               Read<Refused>,
                               Read<Data>,
                               Read<Credit>,
                               Read<Close>,
                               Read<GetCertificates>,
                               Read<Certificates>,
                               Read<Progress>,
                               Read<FirmwareAttach>,
                               Read<FirmwareSecrets>,
                               Read<FirmwareRequest>,
                               Read<FirmwareResponse>};
constexpr size_t kReaderCount = sizeof(kReaders) / sizeof(kReaders[0]);

// A Progress whose phase is -1.
constexpr uint8_t kWildPhase[] = {12,   0x08, 7,    0x08, 0xFF, 0xFF, 0xFF,
                                  0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x32};

constexpr uint8_t kName[] = {'a', '/', '1'};

}  // namespace

extern "C" size_t ForelockFuzzSeed(size_t index, uint8_t* out,
                                   size_t capacity) {
  const base::MutableBytes body(out + 1, capacity - 1);
  static constexpr uint8_t kChip[kChipIdSize] = {};
  base::Result<size_t> size = size_t{0};
  switch (index) {
    case 0:
      out[0] = 0;
      size = Encode(Hello{1, 1, 4096, 100, kName}, body);
      break;
    case 1:
      out[0] = 1;
      size = Encode(Welcome{1, 4096, 100, 2, kName, 7}, body);
      break;
    case 2:
      out[0] = 4;
      size = Encode(Open{1, kName}, body);
      break;
    case 3:
      out[0] = 7;
      size = Encode(Data{1, kName}, body);
      break;
    case 4:
      out[0] = 10;
      size = Encode(GetCertificates{kChip, 1}, body);
      break;
    case 5:
      out[0] = 12;
      size = Encode(Progress{.phase = Phase::kFailed, .text = kName}, body);
      break;
    case 6:
      memcpy(out, kWildPhase, sizeof(kWildPhase));
      return sizeof(kWildPhase);
    default:
      return 0;
  }
  return size.ok() ? *size + 1 : 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  kReaders[data[0] % kReaderCount]({data + 1, size - 1});
  return 0;
}
