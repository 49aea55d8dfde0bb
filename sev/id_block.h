// SPDX-License-Identifier: Apache-2.0
//
// ID block and ID authentication information: what a guest's owner signs, and
// what SNP_LAUNCH_FINISH checks the launch against.
//
// Spec: AMD 56860 rev. 1.58, SNP_LAUNCH_FINISH, tables "ID Block Structure" and
// "ID Authentication Information Structure"; chapter "Digital Signatures",
// ECDSA P-384 public key and signature formats. Coordinates, R and S are
// little-endian and zero-extended to 72 bytes. Layouts only: who verifies or
// signs brings the cipher (launch/id_block.h).
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <array>
#include <span>

#include "base/bytes.h"
#include "base/result.h"
#include "sev/page_info.h"
#include "sev/wire_field.h"

namespace sev {

namespace id_block_layout {
using LaunchDigest = WireField<0x00, 48>;
using FamilyId = WireField<0x30, 16>;
using ImageId = WireField<0x40, 16>;
using Version = WireField<0x50, 4>;
using GuestSvn = WireField<0x54, 4>;
using Policy = WireField<0x58, 8>;
static_assert(
    Tile<LaunchDigest, FamilyId, ImageId, Version, GuestSvn, Policy>(0x60));
}  // namespace id_block_layout

namespace ecdsa_key_layout {
using Curve = WireField<0x000, 4>;
using Qx = WireField<0x004, 72>;
using Qy = WireField<0x04C, 72>;
using Reserved094 = WireField<0x094, 0x370>;
static_assert(Tile<Curve, Qx, Qy, Reserved094>(0x404));
}  // namespace ecdsa_key_layout

namespace ecdsa_signature_layout {
using R = WireField<0x000, 72>;
using S = WireField<0x048, 72>;
using Reserved090 = WireField<0x090, 0x170>;
static_assert(Tile<R, S, Reserved090>(0x200));
}  // namespace ecdsa_signature_layout

namespace id_auth_layout {
using IdKeyAlgorithm = WireField<0x000, 4>;
using AuthorKeyAlgorithm = WireField<0x004, 4>;
using Reserved008 = WireField<0x008, 56>;
using IdBlockSignature = WireField<0x040, 0x200>;
using IdKey = WireField<0x240, 0x404>;
using Reserved644 = WireField<0x644, 60>;
using IdKeySignature = WireField<0x680, 0x200>;
using AuthorKey = WireField<0x880, 0x404>;
using ReservedC84 = WireField<0xC84, 0x37C>;
static_assert(
    Tile<IdKeyAlgorithm, AuthorKeyAlgorithm, Reserved008, IdBlockSignature,
         IdKey, Reserved644, IdKeySignature, AuthorKey, ReservedC84>(0x1000));
}  // namespace id_auth_layout

inline constexpr size_t kIdBlockSize = id_block_layout::Policy::kEnd;
inline constexpr size_t kIdAuthSize = id_auth_layout::ReservedC84::kEnd;
inline constexpr size_t kEcdsaKeySize = ecdsa_key_layout::Reserved094::kEnd;
inline constexpr size_t kEcdsaSignatureSize =
    ecdsa_signature_layout::Reserved090::kEnd;

inline constexpr uint32_t kIdBlockVersion = 1;
inline constexpr uint32_t kIdKeyEcdsaP384Sha384 = 1;
inline constexpr uint32_t kCurveP384 = 2;
// Bytes of a P-384 number; the rest of its 72-byte field is zero.
inline constexpr size_t kP384Bytes = 48;

struct IdBlock {
  LaunchDigest launch_digest{};
  std::array<uint8_t, 16> family_id{};
  std::array<uint8_t, 16> image_id{};
  uint32_t guest_svn = 0;
  uint64_t policy = 0;  // sev/guest_policy.h
};

//   kDataLoss: not 96 bytes, or a version other than 1.
base::Result<IdBlock> ParseIdBlock(base::Bytes bytes);
std::array<uint8_t, kIdBlockSize> EncodeIdBlock(const IdBlock& block);

using EcdsaKeyView = std::span<const uint8_t, kEcdsaKeySize>;
using EcdsaSignatureView = std::span<const uint8_t, kEcdsaSignatureSize>;

// Views into the parsed structure.
struct IdAuth {
  uint32_t id_key_algorithm;
  uint32_t author_key_algorithm;
  EcdsaSignatureView id_block_signature;  // By the ID key, over the ID block.
  EcdsaKeyView id_key;
  EcdsaSignatureView id_key_signature;  // By the author key, over the ID key.
  EcdsaKeyView author_key;
  // AUTHOR_KEY_EN is a parameter of the launch: here, that there is something.
  bool has_author_key;
};

// `bytes` stays owned by the caller and outlives the result. Neither algorithms
// nor keys are looked at.
//   kDataLoss: not 4096 bytes, or a reserved byte that is not zero.
base::Result<IdAuth> ParseIdAuth(base::Bytes bytes);

// The numbers of a P-384 public key.
struct P384Point {
  std::span<const uint8_t, kP384Bytes> x, y;  // Little-endian.
};
//   kDataLoss: not 0x404 bytes, another curve, or a reserved byte or padding of
//              a coordinate that is not zero. Not: that it is on the curve.
base::Result<P384Point> ParseEcdsaKey(base::Bytes bytes);

struct P384Signature {
  std::span<const uint8_t, kP384Bytes> r, s;  // Little-endian.
};
//   kDataLoss: not 0x200 bytes, or a reserved byte or padding that is not zero.
base::Result<P384Signature> ParseEcdsaSignature(base::Bytes bytes);

}  // namespace sev
