// SPDX-License-Identifier: Apache-2.0
#include "svsm/linux/acpi_tables.h"

#include <string.h>

#include "base/reasons.h"

namespace svsm {
namespace {

using base::Bytes;
using base::Code;
using base::MutableBytes;
using base::Result;
using base::Status;

// RSDP.
constexpr size_t kRsdpV1Size = 20;
constexpr size_t kRsdpSize = 36;
constexpr size_t kRsdpChecksum = 8;
constexpr size_t kRsdpRevision = 15;
constexpr size_t kRsdpRsdt = 16;
constexpr size_t kRsdpLength = 20;
constexpr size_t kRsdpXsdt = 24;
constexpr size_t kRsdpExtendedChecksum = 32;
constexpr char kRsdpSignature[] = "RSD PTR ";
// Any table.
constexpr size_t kHeaderSize = 36;
constexpr size_t kLength = 4;
constexpr size_t kChecksum = 9;
// FADT and FACS.
constexpr size_t kFadtFacs = 36;
constexpr size_t kFadtDsdt = 40;
constexpr size_t kFadtXFacs = 132;
constexpr size_t kFadtXDsdt = 140;
constexpr size_t kFadtXEnd = 148;
constexpr size_t kFadtV1Size = 116;
constexpr size_t kFacsSize = 64;

template <typename T>
T Field(Bytes bytes, size_t offset) {
  return base::LoadLe<T>(bytes.subspan(offset).template first<sizeof(T)>());
}

Status BadTable() { return Status(Code::kDataLoss, kAcpiTable); }
Status BadRoot() { return Status(Code::kDataLoss, kAcpiRsdp); }

bool HasSignature(Bytes table, const char (&signature)[5]) {
  return memcmp(table.data(), signature, 4) == 0;
}

class Walker {
 public:
  explicit Walker(std::span<const AcpiFile> files) : files_(files) {}

  // All bytes from `address` to the end of its file.
  Result<Bytes> At(uint64_t address) const {
    for (const AcpiFile& file : files_) {
      if (address >= file.address &&
          address - file.address < file.bytes.size()) {
        return Bytes(file.bytes.subspan(address - file.address));
      }
    }
    return BadTable();
  }

  Result<Bytes> Table(uint64_t address, size_t least) const {
    BASE_TRY_ASSIGN(const Bytes rest, At(address));
    if (rest.size() < least) return BadTable();
    const uint32_t length = Field<uint32_t>(rest, kLength);
    if (length < least || length > rest.size()) return BadTable();
    return rest.first(length);
  }

  Status Root(uint64_t address, const char (&signature)[5],
              size_t entry_size) const {
    BASE_TRY_ASSIGN(const Bytes root, Table(address, kHeaderSize));
    if (!HasSignature(root, signature)) return BadRoot();
    for (size_t at = kHeaderSize; at + entry_size <= root.size();
         at += entry_size) {
      const uint64_t entry = entry_size == 8 ? Field<uint64_t>(root, at)
                                             : Field<uint32_t>(root, at);
      if (entry == 0) continue;  // Linux skips it
      BASE_TRY_ASSIGN(const Bytes table, Table(entry, kHeaderSize));
      if (HasSignature(table, "FACP")) BASE_TRY(Fadt(table));
    }
    return {};
  }

 private:
  Status Fadt(Bytes fadt) const {
    if (fadt.size() < kFadtV1Size) return BadTable();
    BASE_TRY(Optional(Field<uint32_t>(fadt, kFadtFacs), kFacsSize));
    BASE_TRY(Optional(Field<uint32_t>(fadt, kFadtDsdt), kHeaderSize));
    // A FADT that is longer than these is read by Linux as far as it goes.
    if (fadt.size() >= kFadtXFacs + 8) {
      BASE_TRY(Optional(Field<uint64_t>(fadt, kFadtXFacs), kFacsSize));
    }
    if (fadt.size() >= kFadtXEnd) {
      BASE_TRY(Optional(Field<uint64_t>(fadt, kFadtXDsdt), kHeaderSize));
      return {};
    }
    // Linux pads a shorter FADT with zeros: half a pointer is still one.
    for (size_t i = kFadtXFacs; i < fadt.size(); ++i) {
      if (i >= kFadtXFacs + 8 || fadt.size() < kFadtXFacs + 8) {
        if (fadt[i] != 0) return BadTable();
      }
    }
    return {};
  }

  Status Optional(uint64_t address, size_t least) const {
    if (address == 0) return {};
    return base::StatusOf(Table(address, least));
  }

  std::span<const AcpiFile> files_;
};

void PutTableHead(MutableBytes table, const char* signature) {
  memcpy(table.data(), signature, 4);
  base::StoreLe(static_cast<uint32_t>(table.size()),
                table.subspan(kLength).first<4>());
  table[8] = 1;  // revision
  memcpy(&table[10], "FRLOCK", 6);
  memcpy(&table[16], "NOTABLES", 8);
  table[kChecksum] = static_cast<uint8_t>(0 - ByteSum(table));
}

}  // namespace

uint8_t ByteSum(Bytes bytes) {
  uint8_t sum = 0;
  for (const uint8_t byte : bytes) sum = static_cast<uint8_t>(sum + byte);
  return sum;
}

Status CheckAcpiTables(std::span<const AcpiFile> files, uint64_t rsdp) {
  const Walker walker(files);
  BASE_TRY_ASSIGN(const Bytes root, walker.At(rsdp));
  if (root.size() < kRsdpV1Size ||
      memcmp(root.data(), kRsdpSignature, 8) != 0 ||
      ByteSum(root.first(kRsdpV1Size)) != 0) {
    return BadRoot();
  }
  const uint64_t rsdt = Field<uint32_t>(root, kRsdpRsdt);
  uint64_t xsdt = 0;
  if (root[kRsdpRevision] >= 2) {
    if (root.size() < kRsdpSize ||
        Field<uint32_t>(root, kRsdpLength) != kRsdpSize ||
        ByteSum(root.first(kRsdpSize)) != 0) {
      return BadRoot();
    }
    xsdt = Field<uint64_t>(root, kRsdpXsdt);
  } else if (root[kRsdpRevision] == 1) {
    return BadRoot();  // no such revision; readers differ on it
  }
  if (rsdt == 0 && xsdt == 0) return BadRoot();
  if (rsdt != 0) BASE_TRY(walker.Root(rsdt, "RSDT", 4));
  if (xsdt != 0) BASE_TRY(walker.Root(xsdt, "XSDT", 8));
  return {};
}

Result<uint64_t> WriteEmptyAcpi(MutableBytes out, uint64_t address) {
  constexpr size_t kXsdtAt = 64;
  if (out.size() < kXsdtAt + kHeaderSize) {
    return Status(Code::kResourceExhausted, base::kBufferFull);
  }
  memset(out.data(), 0, out.size());
  PutTableHead(out.subspan(kXsdtAt, kHeaderSize), "XSDT");
  const MutableBytes rsdp = out.first(kRsdpSize);
  memcpy(rsdp.data(), kRsdpSignature, 8);
  memcpy(&rsdp[9], "FRLOCK", 6);
  rsdp[kRsdpRevision] = 2;
  rsdp[kRsdpLength] = kRsdpSize;
  base::StoreLe(address + kXsdtAt, rsdp.subspan(kRsdpXsdt).first<8>());
  rsdp[kRsdpChecksum] =
      static_cast<uint8_t>(0 - ByteSum(rsdp.first(kRsdpV1Size)));
  rsdp[kRsdpExtendedChecksum] = static_cast<uint8_t>(0 - ByteSum(rsdp));
  return address;
}

}  // namespace svsm
