// SPDX-License-Identifier: Apache-2.0
//
// The boot manifest as the verifier reads it: what parses serialises, and
// parses again to the same.
#include <vector>

#include "attest/boot_manifest.h"
#include "base/testing/hex.h"
#include "tools/fuzz_seed.h"

namespace {

using base::Bytes;
using base::Result;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Result<attest::BootManifest> manifest =
      attest::ParseBootManifest({data, size});
  if (!manifest.ok()) return 0;
  std::vector<uint8_t> first(proto::kMaxBootManifest), second(first.size());
  const Result<size_t> first_size = attest::Serialise(*manifest, first);
  if (!first_size.ok()) __builtin_trap();
  const Result<attest::BootManifest> same =
      attest::ParseBootManifest(Bytes(first).first(*first_size));
  if (!same.ok() ||
      attest::AcpiDigest(*same) != attest::AcpiDigest(*manifest)) {
    __builtin_trap();
  }
  const Result<size_t> second_size = attest::Serialise(*same, second);
  if (!second_size.ok() || first != second) __builtin_trap();
  return 0;
}

extern "C" size_t ForelockFuzzSeed(size_t index, uint8_t* out,
                                   size_t capacity) {
  if (index > 1) return 0;
  const std::vector<uint8_t> name = base::testing::FromText("etc/acpi/rsdp");
  attest::BootManifest manifest;
  manifest.kernel.length = 8'000'000;
  if (index == 1) {
    (void)manifest.acpi.Add(*attest::DigestBootFile(name, name));
  }
  const Result<size_t> size = attest::Serialise(manifest, {out, capacity});
  return size.ok() ? *size : 0;
}
