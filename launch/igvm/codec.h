// SPDX-License-Identifier: Apache-2.0
//
// Internal. The fields of each header, once: Code(io, body) reads them with a
// DecodeIo and writes them with an EncodeIo. Names in comments: igvm_defs.
#pragma once

#include <stdint.h>

#include <map>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/bytes.h"
#include "launch/igvm/igvm.h"
#include "launch/igvm/read_write.h"

namespace igvm {

// Bytes of a header of this type, without type and length; 0: it is Opaque.
size_t ContentSize(uint32_t type);
// A body of the right kind for a type; Opaque where there is none.
Body EmptyBody(uint32_t type);

// What the reader knows from earlier headers and from the file.
struct DecodeContext {
  base::Bytes file;
  size_t data_start = 0;             // in the file; no data is before
  uint32_t register_list_masks = 0;  // platforms whose VP context is one
};

class DecodeIo {
 public:
  DecodeIo(base::Bytes content, const DecodeContext& context)
      : reader_(content), context_(context) {}

  template <typename T>
  void Le(T& out) {
    using Raw = std::conditional_t<std::is_enum_v<T>, std::underlying_type<T>,
                                   std::type_identity<T>>::type;
    const auto bytes = Take(sizeof(Raw));
    if (bytes.empty()) return;
    out = static_cast<T>(base::LoadLe<Raw>(bytes.first<sizeof(Raw)>()));
  }
  void Bool(bool& out) {
    uint8_t value = 0;
    Le(value);
    if (value > 1) Fail("a switch that is neither 0 nor 1");
    out = value == 1;
  }
  void Zero(size_t size) {
    if (!base::AllZero(Take(size))) Fail("a reserved byte is not zero");
  }
  template <size_t kSize>
  void View(std::span<const uint8_t, kSize>& out) {
    const auto bytes = Take(kSize);
    if (!bytes.empty()) out = bytes.first<kSize>();
  }

  // The place of data in the file, then the data itself once its size is known.
  uint32_t DataOffset(base::Bytes&) {
    uint32_t offset = 0;
    Le(offset);
    return offset;
  }
  void Data(uint32_t offset, uint64_t size, base::Bytes& out);
  // Of data whose size follows its place.
  void SizedData(base::Bytes& out) {
    const uint32_t offset = DataOffset(out);
    uint32_t size = 0;
    Le(size);
    if (offset == 0 && size != 0) Fail("a size of no data");
    Data(offset, size, out);
  }
  // Of a VP context: a page, or a list of registers with its own length.
  void ContextData(uint32_t offset, uint32_t mask, base::Bytes& out);

  // Null: all is well.
  const char* error() const { return error_; }
  bool bad_data() const { return bad_data_; }

 private:
  base::Bytes Take(size_t size) {
    const auto bytes = reader_.Take(size);
    if (bytes.ok()) return *bytes;
    Fail("too short");
    return {};
  }
  void Fail(const char* what) {
    if (error_ == nullptr) error_ = what;
  }

  base::ByteReader reader_;
  const DecodeContext& context_;
  const char* error_ = nullptr;
  bool bad_data_ = false;
};

// Gives data its place behind the headers; equal data has one place.
class DataSection {
 public:
  // Of a file that was read, each byte once is kMaxFileSize; more is headers
  // that share bytes and do not agree where their data begins.
  static constexpr uint64_t kMaxCompared = 512 << 20;

  explicit DataSection(size_t start) : start_(start) {}
  uint32_t Add(base::Bytes data);
  base::Bytes bytes() const { return bytes_; }
  size_t end() const { return start_ + bytes_.size(); }
  bool too_large() const {
    return end() > kMaxFileSize || compared_ > kMaxCompared;
  }

 private:
  size_t start_;
  std::vector<uint8_t> bytes_;
  uint64_t compared_ = 0;  // bytes that were looked for in places_
  // The same view is the same data: it need not be hashed for each header.
  absl::flat_hash_map<std::pair<const uint8_t*, size_t>, uint32_t> views_;
  absl::flat_hash_map<std::string_view, uint32_t> places_;
};

class EncodeIo {
 public:
  EncodeIo(std::vector<uint8_t>& out, DataSection& data)
      : out_(out), data_(data) {}

  template <typename T>
  void Le(const T& value) {
    for (size_t i = 0; i < sizeof(T); ++i) {
      out_.push_back(
          static_cast<uint8_t>(static_cast<uint64_t>(value) >> (8 * i)));
    }
  }
  void Bool(bool value) { out_.push_back(value ? 1 : 0); }
  void Zero(size_t size) { out_.insert(out_.end(), size, 0); }
  template <size_t kSize>
  void View(std::span<const uint8_t, kSize> bytes) {
    out_.insert(out_.end(), bytes.begin(), bytes.end());
  }
  uint32_t DataOffset(base::Bytes data) {
    Le(data.empty() ? uint32_t{0} : data_.Add(data));
    return 0;
  }
  void Data(uint32_t, uint64_t, base::Bytes) {}
  void SizedData(base::Bytes data) {
    DataOffset(data);
    Le(static_cast<uint32_t>(data.size()));
  }
  void ContextData(uint32_t, uint32_t, base::Bytes) {}

 private:
  std::vector<uint8_t>& out_;
  DataSection& data_;
};

template <typename Io, typename T>
void Code(Io& io, T& h) {
  using Struct = std::remove_const_t<T>;
  if constexpr (std::is_same_v<Struct, SupportedPlatform>) {
    io.Le(h.compatibility_mask);
    io.Le(h.highest_vtl);
    io.Le(h.platform_type);
    io.Le(h.platform_version);
    io.Le(h.shared_gpa_boundary);
  } else if constexpr (std::is_same_v<Struct, GuestPolicy>) {
    io.Le(h.policy);
    io.Le(h.compatibility_mask);
    io.Zero(4);
  } else if constexpr (std::is_same_v<Struct, RelocatableRegion>) {
    io.Le(h.compatibility_mask);
    io.Le(h.vp_index);
    io.Le(h.vtl);
    io.Le(h.flags);
    io.Le(h.alignment);
    io.Le(h.gpa);
    io.Le(h.size);
    io.Le(h.minimum_gpa);
    io.Le(h.maximum_gpa);
  } else if constexpr (std::is_same_v<Struct, PageTableRelocationRegion>) {
    io.Le(h.compatibility_mask);
    io.Le(h.vp_index);
    io.Le(h.vtl);
    io.Zero(1);
    io.Le(h.gpa);
    io.Le(h.size);
    io.Le(h.used_size);
  } else if constexpr (std::is_same_v<Struct, ParameterArea>) {
    io.Le(h.size);
    io.Le(h.index);
    io.Data(io.DataOffset(h.data), h.size, h.data);
  } else if constexpr (std::is_same_v<Struct, PageData>) {
    io.Le(h.gpa);
    io.Le(h.compatibility_mask);
    const uint32_t offset = io.DataOffset(h.data);
    io.Le(h.flags);
    io.Le(h.data_type);
    io.Zero(2);
    io.Data(offset, h.flags & kPageIsLarge ? kLargePageSize : kPageSize,
            h.data);
  } else if constexpr (std::is_same_v<Struct, ParameterInsert>) {
    io.Le(h.gpa);
    io.Le(h.compatibility_mask);
    io.Le(h.area_index);
  } else if constexpr (std::is_same_v<Struct, Parameter>) {
    io.Le(h.area_index);
    io.Le(h.byte_offset);
  } else if constexpr (std::is_same_v<Struct, VpContext>) {
    io.Le(h.gpa);
    io.Le(h.compatibility_mask);
    const uint32_t offset = io.DataOffset(h.data);
    io.Le(h.vp_index);
    io.Zero(2);
    io.ContextData(offset, h.compatibility_mask, h.data);
  } else if constexpr (std::is_same_v<Struct, RequiredMemory>) {
    io.Le(h.gpa);
    io.Le(h.compatibility_mask);
    io.Le(h.size);
    io.Le(h.flags);
    io.Zero(4);
  } else if constexpr (std::is_same_v<Struct, EcdsaSignature>) {
    io.View(h.r);
    io.View(h.s);
  } else if constexpr (std::is_same_v<Struct, EcdsaPublicKey>) {
    io.Le(h.curve);
    io.Zero(4);
    io.View(h.x);
    io.View(h.y);
  } else if constexpr (std::is_same_v<Struct, SnpIdBlock>) {
    io.Le(h.compatibility_mask);
    io.Bool(h.author_key_enabled);
    io.Zero(3);
    io.View(h.launch_digest);
    io.View(h.family_id);
    io.View(h.image_id);
    io.Le(h.version);
    io.Le(h.guest_svn);
    io.Le(h.id_key_algorithm);
    io.Le(h.author_key_algorithm);
    Code(io, h.id_key_signature);
    Code(io, h.id_key);
    Code(io, h.author_key_signature);
    Code(io, h.author_key);
  } else if constexpr (std::is_same_v<Struct, CorimData>) {
    io.Le(h.compatibility_mask);
    io.SizedData(h.data);
    io.Zero(4);
  } else {
    static_assert(std::is_same_v<Struct, ErrorRange>);
    io.Le(h.gpa);
    io.Le(h.compatibility_mask);
    io.Le(h.size);
  }
}

}  // namespace igvm
