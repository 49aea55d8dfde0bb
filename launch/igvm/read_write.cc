// SPDX-License-Identifier: Apache-2.0
#include "launch/igvm/read_write.h"

#include <algorithm>
#include <array>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/reasons.h"
#include "launch/igvm/codec.h"
#include "launch/igvm/reasons.h"
#include "launch/igvm/rules.h"

namespace igvm {
namespace {

// IGVM_FIXED_HEADER; version 2 adds architecture and page size.
constexpr uint32_t kMagic = 0x4D564749;  // "IGVM"
constexpr size_t kChecksumOffset = 20;
constexpr size_t kFixedSizeV1 = 24;
constexpr size_t kFixedSizeV2 = 32;
// IGVM_VHS_VARIABLE_HEADER: type and length.
constexpr size_t kPrefixSize = 8;
constexpr size_t kAlignment = 8;
// VbsVpContextHeader and VbsVpContextRegister.
constexpr size_t kRegisterCountSize = 4;
constexpr size_t kRegisterSize = 32;

constexpr size_t Aligned(size_t size) {
  return (size + kAlignment - 1) / kAlignment * kAlignment;
}

uint32_t U32(base::Bytes bytes, size_t at) {
  return base::LoadLe<uint32_t>(bytes.subspan(at).first<4>());
}

struct Layout {
  size_t fixed_size = 0;
  size_t headers_begin = 0;
  size_t headers_end = 0;
};

absl::StatusOr<Layout> ReadFixedHeader(base::Bytes bytes, File& file) {
  if (bytes.size() < kFixedSizeV1 || U32(bytes, 0) != kMagic) {
    return Error(kNotIgvm, "another magic number, or too short");
  }
  if (bytes.size() > kMaxFileSize) return Error(kTooLarge, "over 256 MiB");
  file.version = U32(bytes, 4);
  if (file.version != 1 && file.version != 2) {
    return Error(kUnknownVersion, absl::StrCat("version ", file.version));
  }
  Layout layout = {.fixed_size =
                       file.version == 1 ? kFixedSizeV1 : kFixedSizeV2};
  if (bytes.size() < layout.fixed_size) return Error(kBadSizes, "too short");
  if (file.version == 2) {
    const uint32_t architecture = U32(bytes, 24);
    if (architecture > static_cast<uint32_t>(Architecture::kAarch64) ||
        U32(bytes, 28) != kPageSize) {
      return Error(kUnknownVersion, "another architecture or page size");
    }
    file.architecture = static_cast<Architecture>(architecture);
  }
  layout.headers_begin = U32(bytes, 8);
  const size_t headers_size = U32(bytes, 12);
  if (U32(bytes, 16) != bytes.size()) {
    return Error(kBadSizes, absl::StrCat("the file has ", bytes.size(),
                                         " bytes and says ", U32(bytes, 16)));
  }
  if (layout.headers_begin < layout.fixed_size ||
      layout.headers_begin % kAlignment != 0 ||
      layout.headers_begin > bytes.size() ||
      headers_size > bytes.size() - layout.headers_begin) {
    return Error(kBadSizes, "headers outside the file");
  }
  layout.headers_end = layout.headers_begin + headers_size;
  return layout;
}

absl::Status CheckChecksum(base::Bytes bytes, const Layout& layout) {
  constexpr std::array<uint8_t, 4> kZero{};
  uint32_t crc = Crc32(bytes.first(kChecksumOffset));
  crc = Crc32(kZero, crc);
  crc = Crc32(bytes.first(layout.fixed_size).subspan(kChecksumOffset + 4), crc);
  crc =
      Crc32(bytes.first(layout.headers_end).subspan(layout.headers_begin), crc);
  if (crc != U32(bytes, kChecksumOffset)) {
    return Error(kBadChecksum, "");
  }
  // Between the two the checksum does not reach.
  if (!base::AllZero(
          bytes.first(layout.headers_begin).subspan(layout.fixed_size))) {
    return Error(kBadSizes, "bytes between fixed and variable headers");
  }
  return absl::OkStatus();
}

absl::Status ReadBody(base::Bytes content, const DecodeContext& context,
                      size_t number, Header& header) {
  header.body = EmptyBody(header.type);
  if (auto* opaque = std::get_if<Opaque>(&header.body)) {
    opaque->content = content;
    return absl::OkStatus();
  }
  if (content.size() != ContentSize(header.type)) {
    return HeaderError(kBadHeader, number, header, "another length");
  }
  DecodeIo io(content, context);
  std::visit(
      [&](auto& body) {
        if constexpr (!std::is_same_v<std::decay_t<decltype(body)>, Opaque>) {
          Code(io, body);
        }
      },
      header.body);
  if (io.error() == nullptr) return absl::OkStatus();
  return HeaderError(io.bad_data() ? kBadData : kBadHeader, number, header,
                     io.error());
}

}  // namespace

uint32_t Crc32(base::Bytes bytes, uint32_t so_far) {
  static constexpr auto kTable = [] {
    std::array<uint32_t, 256> table{};
    for (uint32_t i = 0; i < table.size(); ++i) {
      uint32_t value = i;
      for (int bit = 0; bit < 8; ++bit) {
        value = (value >> 1) ^ ((value & 1) != 0 ? 0xEDB88320u : 0);
      }
      table[i] = value;
    }
    return table;
  }();
  uint32_t crc = ~so_far;
  for (const uint8_t byte : bytes) {
    crc = (crc >> 8) ^ kTable[(crc ^ byte) & 0xFF];
  }
  return ~crc;
}

void DecodeIo::Data(uint32_t offset, uint64_t size, base::Bytes& out) {
  if (offset == 0 || error_ != nullptr) return;
  const size_t end = context_.file.size();
  if (offset < context_.data_start || offset > end || size > end - offset) {
    bad_data_ = true;
    return Fail("data outside of the file's data");
  }
  out = context_.file.subspan(offset, size);
}

void DecodeIo::ContextData(uint32_t offset, uint32_t mask, base::Bytes& out) {
  if ((mask & context_.register_list_masks) == 0) {
    return Data(offset, kPageSize, out);
  }
  base::Bytes count;
  Data(offset, kRegisterCountSize, count);
  if (count.empty()) return;
  Data(offset, kRegisterCountSize + uint64_t{U32(count, 0)} * kRegisterSize,
       out);
}

uint32_t DataSection::Add(base::Bytes data) {
  const auto [view, fresh_view] =
      views_.insert({{data.data(), data.size()}, 0});
  if (!fresh_view) return view->second;
  compared_ += data.size();
  if (too_large()) return 0;  // the writer ends
  // EDGE: char may alias the bytes.
  const std::string_view key(reinterpret_cast<const char*>(data.data()),
                             data.size());
  const auto [place, fresh] =
      places_.insert({key, static_cast<uint32_t>(end())});
  if (fresh) bytes_.insert(bytes_.end(), data.begin(), data.end());
  view->second = place->second;
  return place->second;
}

absl::StatusOr<File> Read(base::Bytes bytes) {
  File file;
  const auto layout = ReadFixedHeader(bytes, file);
  if (!layout.ok()) return layout.status();
  absl::Status status = CheckChecksum(bytes, *layout);
  if (!status.ok()) return status;

  Rules rules;
  DecodeContext context = {.file = bytes, .data_start = layout->headers_end};
  size_t at = layout->headers_begin;
  while (at < layout->headers_end) {
    const size_t number = file.headers.size();
    if (number == kMaxHeaders) return Error(kTooLarge, "too many headers");
    const size_t room = layout->headers_end - at;
    Header header = {.offset = at};
    if (room < kPrefixSize) {
      return HeaderError(kBadHeader, number, header, "half a header");
    }
    header.type = U32(bytes, at);
    const size_t length = U32(bytes, at + 4);
    if (length > room - kPrefixSize) {
      return HeaderError(kBadHeader, number, header, "longer than its section");
    }
    // The padding of the last header is inside the section, too.
    const size_t padded = kPrefixSize + Aligned(length);
    if (padded > room ||
        !base::AllZero(bytes.subspan(at + kPrefixSize + length,
                                     padded - kPrefixSize - length))) {
      return HeaderError(kBadHeader, number, header, "padding is not zeros");
    }
    status = ReadBody(bytes.subspan(at + kPrefixSize, length), context, number,
                      header);
    if (!status.ok()) return status;
    status = rules.Next(header);
    if (!status.ok()) return status;
    context.register_list_masks = rules.register_list_masks();
    file.headers.push_back(header);
    at += padded;
  }
  return file;
}

namespace {

absl::Status CheckFixedHeader(const File& file) {
  if (file.version != 1 && file.version != 2) {
    return Error(kUnknownVersion, absl::StrCat("version ", file.version));
  }
  if (file.version == 1 && file.architecture != Architecture::kX64) {
    return Error(kUnknownVersion, "version 1 is for x86-64");
  }
  if (file.headers.size() > kMaxHeaders) {
    return Error(kTooLarge, "too many headers");
  }
  return absl::OkStatus();
}

size_t HeadersSize(const File& file) {
  size_t size = 0;
  for (const Header& header : file.headers) {
    const auto* opaque = std::get_if<Opaque>(&header.body);
    size += kPrefixSize + Aligned(opaque == nullptr ? ContentSize(header.type)
                                                    : opaque->content.size());
  }
  return size;
}

// To `out`, which `io` has, with type, length and padding.
void WriteHeader(const Header& header, EncodeIo& io,
                 std::vector<uint8_t>& out) {
  io.Le(header.type);
  const size_t length_at = out.size();
  io.Le(uint32_t{0});
  std::visit(
      [&](const auto& body) {
        if constexpr (std::is_same_v<std::decay_t<decltype(body)>, Opaque>) {
          out.insert(out.end(), body.content.begin(), body.content.end());
        } else {
          Code(io, body);
        }
      },
      header.body);
  const size_t length = out.size() - length_at - 4;
  base::StoreLe(static_cast<uint32_t>(length),
                std::span(out).subspan(length_at).first<4>());
  io.Zero(Aligned(length) - length);
}

// `out`: fixed and variable headers.
void PutFixedHeader(const File& file, size_t fixed_size, size_t file_size,
                    std::vector<uint8_t>& out) {
  const auto put = [&](size_t at, uint64_t value) {
    base::StoreLe(static_cast<uint32_t>(value),
                  std::span(out).subspan(at).first<4>());
  };
  put(0, kMagic);
  put(4, file.version);
  put(8, fixed_size);
  put(12, out.size() - fixed_size);
  put(16, file_size);
  if (file.version == 2) {
    put(24, static_cast<uint32_t>(file.architecture));
    put(28, kPageSize);
  }
  put(kChecksumOffset, Crc32(out));
}

}  // namespace

absl::StatusOr<std::vector<uint8_t>> Write(const File& file) {
  absl::Status status = CheckFixedHeader(file);
  if (!status.ok()) return status;
  const size_t fixed_size = file.version == 1 ? kFixedSizeV1 : kFixedSizeV2;
  const size_t data_start = fixed_size + HeadersSize(file);
  if (data_start > kMaxFileSize) return Error(kTooLarge, "over 256 MiB");

  Rules rules;
  DataSection data(data_start);
  std::vector<uint8_t> out(fixed_size);
  out.reserve(data_start);
  EncodeIo io(out, data);
  for (const Header& header : file.headers) {
    status = rules.Next(header);
    if (!status.ok()) return status;
    WriteHeader(header, io, out);
    if (data.too_large()) {
      return Error(kTooLarge, "over 256 MiB, or data that overlaps too often");
    }
  }
  PutFixedHeader(file, fixed_size, data.end(), out);
  out.insert(out.end(), data.bytes().begin(), data.bytes().end());
  return out;
}

}  // namespace igvm
