// SPDX-License-Identifier: Apache-2.0
#include "svsm/linux/boot_params.h"

#include <string.h>

namespace svsm {
namespace {

using base::Status;

// zero-page.rst.
constexpr size_t kAcpiRsdpAddr = 0x070;
constexpr size_t kExtRamdiskImage = 0x0C0;
constexpr size_t kExtRamdiskSize = 0x0C4;
constexpr size_t kExtCmdLinePtr = 0x0C8;
constexpr size_t kE820Entries = 0x1E8;
constexpr size_t kSetupHeader = 0x1F1;
constexpr size_t kE820Table = 0x2D0;
constexpr size_t kE820EntrySize = 20;
// boot.rst, within the setup header.
constexpr size_t kVidMode = 0x1FA;
constexpr size_t kTypeOfLoader = 0x210;
constexpr size_t kLoadFlags = 0x211;
constexpr size_t kCode32Start = 0x214;
constexpr size_t kRamdiskImage = 0x218;
constexpr size_t kRamdiskSize = 0x21C;
constexpr size_t kExtLoaderVersion = 0x226;
constexpr size_t kExtLoaderType = 0x227;
constexpr size_t kCmdLinePtr = 0x228;
constexpr size_t kSetupData = 0x250;

constexpr uint16_t kVidModeNormal = 0xFFFF;
constexpr uint8_t kLoaderUndefined = 0xFF;  // no number is assigned to us
constexpr uint8_t kLoadedHigh = 0x01;

// setup_data, boot.rst "The setup_data": next, type, length, data.
constexpr uint32_t kSetupRngSeed = 9;

void PutSplit(size_t low, size_t high, uint64_t value,
              std::span<uint8_t, kZeroPageSize> page) {
  base::StoreLe(static_cast<uint32_t>(value & 0xFFFFFFFF),
                page.subspan(low).first<4>());
  base::StoreLe(static_cast<uint32_t>(value >> 32),
                page.subspan(high).first<4>());
}

}  // namespace

Status WriteZeroPage(const BzImage& image, const BootParams& params,
                     std::span<uint8_t, kZeroPageSize> out) {
  if (params.e820.size() > kMaxZeroPageE820) {
    return Status(base::Code::kResourceExhausted, kTooManyRanges);
  }
  const auto put = [&]<typename T>(size_t offset, T value) {
    base::StoreLe(value, out.subspan(offset).template first<sizeof(T)>());
  };

  memset(out.data(), 0, out.size());
  memcpy(&out[kSetupHeader], image.setup_header.data(),
         image.setup_header.size());
  put(kVidMode, kVidModeNormal);
  put(kTypeOfLoader, kLoaderUndefined);
  // Only what is true: no heap, and the kernel may print.
  put(kLoadFlags, kLoadedHigh);
  put(kCode32Start, static_cast<uint32_t>(params.load_address));
  put(kExtLoaderVersion, uint8_t{0});
  put(kExtLoaderType, uint8_t{0});
  WriteInitrd(params.initrd, params.initrd_size, out);
  PutSplit(kCmdLinePtr, kExtCmdLinePtr, params.command_line, out);
  put(kSetupData, params.setup_data);
  put(kAcpiRsdpAddr, params.acpi_rsdp);
  put(kE820Entries, static_cast<uint8_t>(params.e820.size()));
  for (size_t i = 0; i < params.e820.size(); ++i) {
    const size_t at = kE820Table + i * kE820EntrySize;
    put(at, params.e820[i].address);
    put(at + 8, params.e820[i].size);
    put(at + 16, static_cast<uint32_t>(params.e820[i].type));
  }
  return {};
}

void WriteInitrd(uint64_t initrd, uint64_t size,
                 std::span<uint8_t, kZeroPageSize> page) {
  PutSplit(kRamdiskImage, kExtRamdiskImage, initrd, page);
  PutSplit(kRamdiskSize, kExtRamdiskSize, size, page);
}

void WriteRngSeed(std::span<const uint8_t, kRngSeedSize> seed, uint64_t next,
                  std::span<uint8_t, kRngSeedNodeSize> out) {
  base::StoreLe(next, out.first<8>());
  base::StoreLe(kSetupRngSeed, out.subspan<8, 4>());
  base::StoreLe(uint32_t{kRngSeedSize}, out.subspan<12, 4>());
  memcpy(&out[16], seed.data(), kRngSeedSize);
}

}  // namespace svsm
