// SPDX-License-Identifier: Apache-2.0
#include "svsm/linux/acpi_loader.h"

#include <string.h>

#include <array>

#include "svsm/linux/acpi_tables.h"

namespace svsm {
namespace {

using base::ByteReader;
using base::Bytes;
using base::Code;
using base::MutableBytes;
using base::Result;
using base::Status;

// struct BiosLinkerLoaderEntry.
constexpr size_t kCommandSize = 128;
constexpr size_t kNameSize = 56;
enum Command : uint32_t {
  kPadding = 0,
  kAllocate = 1,
  kAddPointer = 2,
  kAddChecksum = 3,
  kWritePointer = 4,
};
constexpr uint8_t kZoneHigh = 1;
constexpr uint8_t kZoneFSeg = 2;
constexpr uint32_t kMaxAlignment = 4096;  // each file has pages of its own
constexpr size_t kMaxFiles = 8;

Status Bad(base::Reason reason) { return Status(Code::kDataLoss, reason); }

class Loader {
 public:
  explicit Loader(std::span<AcpiFile> files) : files_(files) {}

  Status Run(Bytes command) {
    ByteReader in(command);
    BASE_TRY_ASSIGN(const uint32_t kind, in.U32());
    switch (kind) {
      case kPadding:
        return base::AllZero(command) ? Status() : Bad(kLoaderCommand);
      case kAllocate:
        return Allocate(in);
      case kAddPointer:
        return AddPointer(in);
      case kAddChecksum:
        return AddChecksum(in);
      case kWritePointer:
        return Status(Code::kPermissionDenied, kLoaderWritePointer);
      default:
        return Bad(kLoaderCommand);
    }
  }

  // The kernel gets a file only if the loader placed it.
  Status ExpectAllAllocated() const {
    for (size_t i = 0; i < files_.size(); ++i) {
      if (!allocated_[i]) return Bad(kLoaderOrder);
    }
    return {};
  }

 private:
  Result<size_t> Find(ByteReader& in) const {
    BASE_TRY_ASSIGN(const Bytes field, in.Take(kNameSize));
    // The name and a NUL; what QEMU has behind it is not looked at.
    for (size_t i = 0; i < files_.size(); ++i) {
      const std::string_view name = files_[i].name;
      if (name.size() < kNameSize && field[name.size()] == 0 &&
          memcmp(field.data(), name.data(), name.size()) == 0) {
        return i;
      }
    }
    return Bad(kLoaderFile);
  }

  Result<size_t> FindAllocated(ByteReader& in) const {
    BASE_TRY_ASSIGN(const size_t index, Find(in));
    if (!allocated_[index]) return Bad(kLoaderOrder);
    return index;
  }

  Status Allocate(ByteReader& in) {
    BASE_TRY_ASSIGN(const size_t index, Find(in));
    BASE_TRY_ASSIGN(const uint32_t alignment, in.U32());
    BASE_TRY_ASSIGN(const uint8_t zone, in.U8());
    if (allocated_[index]) return Bad(kLoaderOrder);
    if (alignment == 0 || alignment > kMaxAlignment ||
        (alignment & (alignment - 1)) != 0 ||
        (zone != kZoneHigh && zone != kZoneFSeg)) {
      return Bad(kLoaderRange);
    }
    allocated_[index] = true;
    return {};
  }

  // The pointer holds an offset into the source file; make it an address.
  Status AddPointer(ByteReader& in) {
    BASE_TRY_ASSIGN(const size_t destination, FindAllocated(in));
    BASE_TRY_ASSIGN(const size_t source, FindAllocated(in));
    BASE_TRY_ASSIGN(const uint32_t offset, in.U32());
    BASE_TRY_ASSIGN(const uint8_t size, in.U8());
    const MutableBytes bytes = files_[destination].bytes;
    if ((size != 1 && size != 2 && size != 4 && size != 8) ||
        offset > bytes.size() || size > bytes.size() - offset) {
      return Bad(kLoaderRange);
    }
    const MutableBytes field = bytes.subspan(offset, size);
    uint64_t value = 0;
    for (size_t i = size; i-- > 0;) value = (value << 8) | field[i];
    if (value >= files_[source].bytes.size()) return Bad(kLoaderRange);
    value += files_[source].address;
    if (size < 8 && value >> (8 * size) != 0) return Bad(kLoaderRange);
    for (size_t i = 0; i < size; ++i, value >>= 8) {
      field[i] = static_cast<uint8_t>(value & 0xFF);
    }
    return {};
  }

  Status AddChecksum(ByteReader& in) {
    BASE_TRY_ASSIGN(const size_t index, FindAllocated(in));
    BASE_TRY_ASSIGN(const uint32_t offset, in.U32());
    BASE_TRY_ASSIGN(const uint32_t start, in.U32());
    BASE_TRY_ASSIGN(const uint32_t length, in.U32());
    const MutableBytes bytes = files_[index].bytes;
    if (offset >= bytes.size() || start > bytes.size() ||
        length > bytes.size() - start) {
      return Bad(kLoaderRange);
    }
    const uint8_t sum = ByteSum(bytes.subspan(start, length));
    bytes[offset] = static_cast<uint8_t>(bytes[offset] - sum);
    return {};
  }

  std::span<AcpiFile> files_;
  std::array<bool, kMaxFiles> allocated_{};
};

}  // namespace

Result<uint64_t> RunAcpiLoader(Bytes commands, std::span<AcpiFile> files) {
  if (commands.empty() || commands.size() % kCommandSize != 0 ||
      files.empty() || files.size() > kMaxFiles) {
    return Bad(kLoaderSize);
  }
  Loader loader(files);
  for (; !commands.empty(); commands = commands.subspan(kCommandSize)) {
    BASE_TRY(loader.Run(commands.first(kCommandSize)));
  }
  BASE_TRY(loader.ExpectAllAllocated());
  BASE_TRY(CheckAcpiTables(files, files[0].address));
  return files[0].address;
}

}  // namespace svsm
