// SPDX-License-Identifier: Apache-2.0
//
// The decoders of the attestation messages: byte 0 chooses one, the rest is the
// message. What decodes must encode, and decode again to the same bytes.
#include <algorithm>
#include <memory>
#include <vector>

#include "base/testing/hex.h"
#include "proto/attest.h"
#include "tools/fuzz_seed.h"

namespace {

using base::Bytes;
using base::Result;
using base::testing::FromText;

template <typename Message>
void Check(Bytes in, proto::ArenaBase& decoded) {
  const Result<Message> message = proto::Decode<Message>(in, decoded);
  if (!message.ok()) return;
  static std::vector<uint8_t> first(proto::kMaxAttestMessage);
  static std::vector<uint8_t> second(proto::kMaxAttestMessage);
  const Result<size_t> size = proto::Encode(*message, first);
  // Not canonical, it may be longer when encoded again.
  if (!size.ok()) return;
  const auto arena = std::make_unique<proto::AttestArena>();
  const Result<Message> same =
      proto::Decode<Message>(Bytes(first).first(*size), *arena);
  if (!same.ok()) __builtin_trap();
  const Result<size_t> same_size = proto::Encode(*same, second);
  if (!same_size.ok() || !base::Equal(Bytes(first).first(*size),
                                      Bytes(second).first(*same_size))) {
    __builtin_trap();
  }
}

template <typename Message>
size_t Seed(uint8_t kind, const Message& message, uint8_t* out,
            size_t capacity) {
  out[0] = kind;
  const Result<size_t> size = proto::Encode(message, {out + 1, capacity - 1});
  return size.ok() ? *size + 1 : 0;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const Bytes in(data + 1, size - 1);
  static proto::AttestArena arena;
  arena.Reset();
  switch (data[0] % 6) {
    case 0:
      Check<proto::AttestRequest>(in, arena);
      break;
    case 1:
      Check<proto::AttestChallenge>(in, arena);
      break;
    case 2:
      Check<proto::BootManifest>(in, arena);
      break;
    case 3:
      Check<proto::AttestEvidence>(in, arena);
      break;
    case 4:
      Check<proto::AttestVerdict>(in, arena);
      break;
    case 5:
      Check<proto::AttestReceipt>(in, arena);
      break;
  }
  return 0;
}

extern "C" size_t ForelockFuzzSeed(size_t index, uint8_t* out,
                                   size_t capacity) {
  const std::vector<uint8_t> name = FromText("demo/vm1");
  const std::vector<uint8_t> zeros(proto::kAttestReportSize);
  const Bytes digest = Bytes(zeros).first(proto::kSha384Size);
  switch (index) {
    case 0: {
      proto::AttestRequest request;
      request.vm = name;
      (void)request.resources.Add(name);
      return Seed(0, request, out, capacity);
    }
    case 1:
      return Seed(1, proto::AttestChallenge{Bytes(zeros).first(32), true}, out,
                  capacity);
    case 2: {
      proto::BootManifest manifest;
      manifest.kernel = manifest.initrd =
          manifest.command_line = {{}, 1000, digest};
      (void)manifest.acpi.Add({name, 20, digest});
      return Seed(2, manifest, out, capacity);
    }
    case 3:
      return Seed(3, proto::AttestEvidence{zeros, name, name}, out, capacity);
    case 4: {
      proto::AttestVerdict verdict;
      verdict.outcome = proto::Outcome::kGranted;
      verdict.decision_id = Bytes(zeros).first(16);
      (void)verdict.secrets.Add(
          {name, true, name, 294912, Bytes(zeros).first(32)});
      (void)verdict.secrets.Add({name, false, name, 0, {}});
      return Seed(4, verdict, out, capacity);
    }
    case 5:
      return Seed(5, proto::AttestReceipt{false, 7}, out, capacity);
    case 6: {
      // A Request whose `tee` no enumeration of one bit covers.
      const std::vector<uint8_t> found =
          base::testing::FromHex("0610fbe89e9e9e9e07");
      std::copy(found.begin(), found.end(), out);
      return found.size();
    }
    default:
      return 0;
  }
}
