// SPDX-License-Identifier: Apache-2.0
#include "boot/bzimage.h"

namespace boot {
namespace {

using base::Bytes;
using base::Code;
using base::Result;
using base::Status;

// boot.rst, "Details of Header Fields".
constexpr size_t kSetupSects = 0x1F1;
constexpr size_t kSysSize = 0x1F4;  // in 16-byte units
constexpr size_t kBootFlag = 0x1FE;
constexpr size_t kJump = 0x200;
constexpr size_t kMagic = 0x202;
constexpr size_t kVersion = 0x206;
constexpr size_t kLoadFlags = 0x211;
constexpr size_t kInitrdAddrMax = 0x22C;
constexpr size_t kKernelAlignment = 0x230;
constexpr size_t kRelocatable = 0x234;
constexpr size_t kXLoadFlags = 0x236;
constexpr size_t kCmdlineSize = 0x238;
constexpr size_t kPrefAddress = 0x258;
constexpr size_t kInitSize = 0x260;
constexpr size_t kNeededEnd = 0x268;    // of the header of protocol 2.12
constexpr size_t kHeaderLimit = 0x290;  // what follows in the zero page

constexpr uint32_t kHdrS = 0x53726448;
constexpr uint16_t kMinProtocol = 0x020C;
constexpr uint8_t kLoadedHigh = 1;
constexpr uint16_t kXlfKernel64 = 1;
constexpr uint64_t kMaxInitSize = uint64_t{2} << 30;
constexpr uint64_t kMaxAlignment = uint64_t{1} << 30;
constexpr uint64_t kPage = 4096;
constexpr uint64_t k4GiB = uint64_t{1} << 32;

template <typename T>
T Field(Bytes file, size_t offset) {
  return base::LoadLe<T>(file.subspan(offset).template first<sizeof(T)>());
}

Status Bad(base::Reason reason) { return Status(Code::kDataLoss, reason); }

Status CheckPlacement(const BzImage& image) {
  const uint64_t alignment = image.alignment;
  if (alignment < kPage || alignment > kMaxAlignment ||
      (alignment & (alignment - 1)) != 0 ||
      (image.preferred_address & (kPage - 1)) != 0 ||
      // It would run, and want init_size, from the next multiple on.
      (image.relocatable && (image.preferred_address & (alignment - 1)) != 0) ||
      image.init_size < image.payload_size || image.init_size > kMaxInitSize ||
      image.preferred_address > k4GiB - image.init_size) {
    return Bad(kKernelHeader);
  }
  return {};
}

}  // namespace

Result<BzImage> ParseBzImage(Bytes file) {
  if (file.size() < kHeaderLimit) return Bad(kKernelTruncated);
  if (Field<uint16_t>(file, kBootFlag) != 0xAA55 ||
      Field<uint32_t>(file, kMagic) != kHdrS || file[kJump] != 0xEB) {
    return Bad(kNotBzImage);
  }
  BzImage image;
  image.protocol = Field<uint16_t>(file, kVersion);
  if (image.protocol < kMinProtocol) return Bad(kKernelTooOld);
  if ((file[kLoadFlags] & kLoadedHigh) == 0) return Bad(kNotBzImage);
  if ((Field<uint16_t>(file, kXLoadFlags) & kXlfKernel64) == 0) {
    return Bad(kKernelNot64Bit);
  }

  // The jump's distance says where the header ends.
  const size_t header_end = kJump + 2 + file[kJump + 1];
  if (header_end < kNeededEnd || header_end > kHeaderLimit) {
    return Bad(kKernelHeader);
  }
  image.setup_header = file.subspan(kSetupSects, header_end - kSetupSects);

  const uint64_t sectors = file[kSetupSects] == 0 ? 4 : file[kSetupSects];
  image.payload_offset = (sectors + 1) * 512;
  const uint64_t needed = uint64_t{Field<uint32_t>(file, kSysSize)} * 16;
  if (file.size() < image.payload_offset ||
      file.size() - image.payload_offset < needed) {
    return Bad(kKernelTruncated);
  }
  // What a signing tool appended is not loaded.
  image.payload_size = needed;
  if (needed <= kEntry64) return Bad(kKernelHeader);

  image.preferred_address = Field<uint64_t>(file, kPrefAddress);
  image.alignment = Field<uint32_t>(file, kKernelAlignment);
  image.init_size = Field<uint32_t>(file, kInitSize);
  image.relocatable = file[kRelocatable] != 0;
  image.initrd_max = Field<uint32_t>(file, kInitrdAddrMax);
  image.command_line_size = Field<uint32_t>(file, kCmdlineSize);
  BASE_TRY(CheckPlacement(image));
  return image;
}

}  // namespace boot
