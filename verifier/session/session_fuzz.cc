// SPDX-License-Identifier: Apache-2.0
//
// The guest's other messages, and the log of what they say.
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <string>
#include <vector>

#include "tools/fuzz_seed.h"
#include "verifier/session/audit_record.h"
#include "verifier/testing/guest_messages.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static auto& arena = *new proto::AttestArena;
  const base::Bytes input(data, size);
  arena.Reset();
  const auto request = proto::Decode<proto::AttestRequest>(input, arena);
  if (request.ok() && (request->vm.empty() || request->vm.size() > 128)) {
    __builtin_trap();
  }
  arena.Reset();
  const auto manifest = proto::Decode<proto::BootManifest>(input, arena);
  if (manifest.ok()) {
    // Whatever a guest names its files, the log stays readable.
    verifier::AuditDetail detail;
    detail.boot = *manifest;
    verifier::AuditEntry entry;
    entry.detail = ToJson(detail);
    for (const char c : ToText(entry)) {
      if (c != '\n' && (c < 0x20 || c > 0x7E)) __builtin_trap();
    }
  }
  arena.Reset();
  (void)proto::Decode<proto::AttestReceipt>(input, arena);
  return 0;
}

extern "C" size_t ForelockFuzzSeed(size_t index, uint8_t* out,
                                   size_t capacity) {
  const std::vector<uint8_t> seeds[] = {
      verifier::testing::RequestFor("demo/vm1", {"demo/vm1/root", "a"}),
      verifier::testing::GoodManifest(),
      verifier::testing::EncodeMessage(proto::AttestReceipt{.reason = 7}),
      {0x10, 0xFF, 0xFF, 0xFF, 0xFF, 0x09}};  // a Request of a wild `tee`
  if (index >= std::size(seeds) || seeds[index].size() > capacity) return 0;
  memcpy(out, seeds[index].data(), seeds[index].size());
  return seeds[index].size();
}
