// SPDX-License-Identifier: Apache-2.0
#include "sev/cert_table.h"

#include "sev/reasons.h"

namespace sev {
namespace {

struct Range {
  size_t begin, end;  // Byte offsets in the table.
};

base::Bytes* SlotFor(CertTable& out, base::Bytes guid) {
  if (base::Equal(guid, kGuidVcek)) return &out.vcek;
  if (base::Equal(guid, kGuidVlek)) return &out.vlek;
  if (base::Equal(guid, kGuidAsk)) return &out.ask;
  if (base::Equal(guid, kGuidArk)) return &out.ark;
  if (base::Equal(guid, kGuidCrl)) return &out.crl;
  return nullptr;
}

}  // namespace

base::Result<CertTable> ParseCertTable(base::Bytes table) {
  using base::Code;
  using base::Status;
  CertTable out;
  if (table.empty()) return out;

  std::array<Range, kCertTableMaxEntries> ranges{};
  size_t count = 0;
  base::ByteReader header(table);
  for (;;) {
    if (header.remaining() < kCertTableEntrySize) {
      return Status(Code::kDataLoss, kCertTableUnterminated);
    }
    BASE_TRY_ASSIGN(const base::Bytes guid, header.Take(sizeof(Guid)));
    BASE_TRY_ASSIGN(const uint32_t offset, header.U32());
    BASE_TRY_ASSIGN(const uint32_t length, header.U32());
    if (base::AllZero(guid)) break;
    if (count == kCertTableMaxEntries) {
      return Status(Code::kResourceExhausted, kCertTableTooManyEntries);
    }
    // Order matters: the second comparison cannot wrap after the first.
    if (offset > table.size() || length > table.size() - offset ||
        length == 0) {
      return Status(Code::kDataLoss, kCertTableOutOfRange);
    }
    ranges[count++] = {offset, size_t{offset} + length};
    if (base::Bytes* slot = SlotFor(out, guid); slot != nullptr) {
      if (!slot->empty()) return Status(Code::kDataLoss, kCertTableDuplicate);
      *slot = table.subspan(offset, length);
    }
  }

  const size_t header_end = table.size() - header.remaining();
  for (size_t i = 0; i < count; ++i) {
    if (ranges[i].begin < header_end) {
      return Status(Code::kDataLoss, kCertTableOutOfRange);
    }
    for (size_t k = 0; k < i; ++k) {
      if (ranges[i].begin < ranges[k].end && ranges[k].begin < ranges[i].end) {
        return Status(Code::kDataLoss, kCertTableOverlap);
      }
    }
  }
  return out;
}

base::Result<size_t> PackCertTable(std::span<const CertTableEntry> entries,
                                   base::MutableBytes out) {
  size_t count = 0;
  for (const CertTableEntry& entry : entries) {
    if (!entry.certificate.empty()) ++count;
  }
  if (count > kCertTableMaxEntries) {
    return base::Status(base::Code::kResourceExhausted,
                        kCertTableTooManyEntries);
  }
  base::ByteWriter writer(out);
  size_t offset = (count + 1) * kCertTableEntrySize;
  for (const CertTableEntry& entry : entries) {
    if (entry.certificate.empty()) continue;
    if (offset > out.size() || entry.certificate.size() > out.size() - offset) {
      return base::Status(base::Code::kResourceExhausted, base::kBufferFull);
    }
    BASE_TRY(writer.Put(entry.guid));
    BASE_TRY(writer.U32(static_cast<uint32_t>(offset)));
    BASE_TRY(writer.U32(static_cast<uint32_t>(entry.certificate.size())));
    offset += entry.certificate.size();
  }
  const std::array<uint8_t, kCertTableEntrySize> terminator{};
  BASE_TRY(writer.Put(terminator));
  for (const CertTableEntry& entry : entries) {
    if (!entry.certificate.empty()) BASE_TRY(writer.Put(entry.certificate));
  }
  return writer.size();
}

}  // namespace sev
