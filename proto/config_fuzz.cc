// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "base/bytes.h"
#include "proto/config.h"
#include "proto/config_section.h"
#include "tools/fuzz_seed.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  (void)proto::ConfigInSection({data, size});
  proto::Config config;
  if (!proto::DecodeConfig({data, size}, config).ok()) return 0;
  // What decodes keeps the rules, and encodes to something that decodes.
  std::array<uint8_t, proto::kConfigMaxSize> again;
  const auto encoded = proto::EncodeConfig(config, again);
  if (!encoded.ok()) __builtin_trap();
  proto::Config copy;
  if (!proto::DecodeConfig(base::Bytes(again).first(*encoded), copy).ok() ||
      copy.vm != config.vm ||
      copy.resources.size() != config.resources.size()) {
    __builtin_trap();
  }
  return 0;
}

extern "C" size_t ForelockFuzzSeed(size_t index, uint8_t* out,
                                   size_t capacity) {
  if (index > 2) return 0;
  proto::Config config;
  config.vm.Assign("demo/vm1");
  config.verifier_endpoint.Assign("verifier");
  config.verifier_pins.Add({1});
  if (index == 1) {
    proto::Resource resource;
    resource.name.Assign("demo/vm1/root");
    resource.place.Assign("root");
    config.resources.Add(resource);
    config.acpi = proto::Acpi::kFromHost;
    config.expected_boot = proto::ExpectedBoot{{1}, {1}, {1}, {1}};
  }
  const auto size = proto::EncodeConfig(config, {out, capacity});
  if (!size.ok()) return 0;
  if (index < 2) return *size;
  // Platform, ACPI and what a failure does, each -1 in five bytes.
  constexpr uint8_t kMinusOne[] = {0xFF, 0xFF, 0xFF, 0xFF, 0x0F};
  size_t end = *size;
  for (const uint8_t tag : {0x10, 0x48, 0x58}) {
    out[end++] = tag;
    for (const uint8_t byte : kMinusOne) out[end++] = byte;
  }
  return end;
}
