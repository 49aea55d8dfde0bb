// SPDX-License-Identifier: Apache-2.0
//
// The input is the directory, byte for byte.
#include <string.h>

#include <memory>
#include <string>
#include <vector>

#include "svsm/fw_cfg/fake_fw_cfg.h"
#include "svsm/fw_cfg/fw_cfg.h"
#include "tools/fuzz_seed.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  svsm::FakeFwCfg device;
  device.item(0x19).assign(data, data + size);
  // 64 KiB, not on the stack.
  const auto memory = std::make_unique<svsm::FwCfg>(device);
  svsm::FwCfg& fw_cfg = *memory;
  if (!fw_cfg.Open().ok()) return 0;
  const auto file = fw_cfg.Find("opt/org.forelock/kernel");
  if (file.ok() && file->size < 65536) {
    std::vector<uint8_t> out(file->size);
    if (!fw_cfg.Read(*file, out).ok()) __builtin_trap();
  }
  return 0;
}

extern "C" size_t ForelockFuzzSeed(size_t index, uint8_t* out,
                                   size_t capacity) {
  if (index > 2) return 0;
  svsm::FakeFwCfg device;
  for (size_t i = 0; i < index * 3; ++i) {
    device.AddFile("etc/file" + std::to_string(i), "content");
  }
  device.AddFile("opt/org.forelock/kernel", "kernel");
  const auto& directory = device.item(0x19);
  if (directory.size() > capacity) return 0;
  memcpy(out, directory.data(), directory.size());
  return directory.size();
}
