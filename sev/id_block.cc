// SPDX-License-Identifier: Apache-2.0
#include "sev/id_block.h"

#include "sev/reasons.h"

namespace sev {
namespace {

base::Status Malformed() {
  return base::Status(base::Code::kDataLoss, kIdBlockMalformed);
}

template <typename F, size_t kTotal, size_t kSize>
void CopyOut(std::span<const uint8_t, kTotal> in,
             std::array<uint8_t, kSize>& out) {
  static_assert(F::kSize == kSize);
  const auto field = FieldOf<F>(in);
  for (size_t i = 0; i < kSize; ++i) out[i] = field[i];
}

template <typename F, size_t kTotal, size_t kSize>
void CopyIn(const std::array<uint8_t, kSize>& in,
            std::span<uint8_t, kTotal> out) {
  static_assert(F::kSize == kSize);
  const auto field = FieldOf<F>(out);
  for (size_t i = 0; i < kSize; ++i) field[i] = in[i];
}

// What a 72-byte field has above 48 bytes.
template <typename F, size_t kTotal>
bool PaddingIsZero(std::span<const uint8_t, kTotal> in) {
  return base::AllZero(FieldOf<F>(in).template subspan<kP384Bytes>());
}

template <typename F, size_t kTotal>
std::span<const uint8_t, kP384Bytes> Number(
    std::span<const uint8_t, kTotal> in) {
  return FieldOf<F>(in).template first<kP384Bytes>();
}

}  // namespace

base::Result<IdBlock> ParseIdBlock(base::Bytes bytes) {
  namespace layout = id_block_layout;
  if (bytes.size() != kIdBlockSize) return Malformed();
  const auto in = bytes.first<kIdBlockSize>();
  if (GetLe<uint32_t, layout::Version>(in) != kIdBlockVersion) {
    return Malformed();
  }
  IdBlock block;
  CopyOut<layout::LaunchDigest>(in, block.launch_digest);
  CopyOut<layout::FamilyId>(in, block.family_id);
  CopyOut<layout::ImageId>(in, block.image_id);
  block.guest_svn = GetLe<uint32_t, layout::GuestSvn>(in);
  block.policy = GetLe<uint64_t, layout::Policy>(in);
  return block;
}

std::array<uint8_t, kIdBlockSize> EncodeIdBlock(const IdBlock& block) {
  namespace layout = id_block_layout;
  std::array<uint8_t, kIdBlockSize> bytes{};
  const std::span<uint8_t, kIdBlockSize> out(bytes);
  CopyIn<layout::LaunchDigest>(block.launch_digest, out);
  CopyIn<layout::FamilyId>(block.family_id, out);
  CopyIn<layout::ImageId>(block.image_id, out);
  PutLe<uint32_t, layout::Version>(kIdBlockVersion, out);
  PutLe<uint32_t, layout::GuestSvn>(block.guest_svn, out);
  PutLe<uint64_t, layout::Policy>(block.policy, out);
  return bytes;
}

base::Result<IdAuth> ParseIdAuth(base::Bytes bytes) {
  namespace layout = id_auth_layout;
  if (bytes.size() != kIdAuthSize) return Malformed();
  const auto in = bytes.first<kIdAuthSize>();
  if (!base::AllZero(FieldOf<layout::Reserved008>(in)) ||
      !base::AllZero(FieldOf<layout::Reserved644>(in)) ||
      !base::AllZero(FieldOf<layout::ReservedC84>(in))) {
    return Malformed();
  }
  const auto id_key_signature = FieldOf<layout::IdKeySignature>(in);
  const auto author_key = FieldOf<layout::AuthorKey>(in);
  return IdAuth{
      .id_key_algorithm = GetLe<uint32_t, layout::IdKeyAlgorithm>(in),
      .author_key_algorithm = GetLe<uint32_t, layout::AuthorKeyAlgorithm>(in),
      .id_block_signature = FieldOf<layout::IdBlockSignature>(in),
      .id_key = FieldOf<layout::IdKey>(in),
      .id_key_signature = id_key_signature,
      .author_key = author_key,
      .has_author_key =
          !base::AllZero(author_key) || !base::AllZero(id_key_signature),
  };
}

base::Result<P384Point> ParseEcdsaKey(base::Bytes bytes) {
  namespace layout = ecdsa_key_layout;
  if (bytes.size() != kEcdsaKeySize) return Malformed();
  const auto in = bytes.first<kEcdsaKeySize>();
  if (GetLe<uint32_t, layout::Curve>(in) != kCurveP384 ||
      !PaddingIsZero<layout::Qx>(in) || !PaddingIsZero<layout::Qy>(in) ||
      !base::AllZero(FieldOf<layout::Reserved094>(in))) {
    return Malformed();
  }
  return P384Point{Number<layout::Qx>(in), Number<layout::Qy>(in)};
}

base::Result<P384Signature> ParseEcdsaSignature(base::Bytes bytes) {
  namespace layout = ecdsa_signature_layout;
  if (bytes.size() != kEcdsaSignatureSize) return Malformed();
  const auto in = bytes.first<kEcdsaSignatureSize>();
  if (!PaddingIsZero<layout::R>(in) || !PaddingIsZero<layout::S>(in) ||
      !base::AllZero(FieldOf<layout::Reserved090>(in))) {
    return Malformed();
  }
  return P384Signature{Number<layout::R>(in), Number<layout::S>(in)};
}

}  // namespace sev
