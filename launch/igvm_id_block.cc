// SPDX-License-Identifier: Apache-2.0
#include "launch/igvm_id_block.h"

#include <algorithm>
#include <span>

#include "launch/error.h"
#include "launch/reasons.h"
#include "sev/id_block.h"

namespace launch {
namespace {

namespace key_layout = sev::ecdsa_key_layout;
namespace signature_layout = sev::ecdsa_signature_layout;
namespace auth_layout = sev::id_auth_layout;

igvm::EcdsaSignature SignatureOf(sev::EcdsaSignatureView in) {
  return {.r = sev::FieldOf<signature_layout::R>(in),
          .s = sev::FieldOf<signature_layout::S>(in)};
}

igvm::EcdsaPublicKey KeyOf(sev::EcdsaKeyView in) {
  return {.curve = sev::GetLe<uint32_t, key_layout::Curve>(in),
          .x = sev::FieldOf<key_layout::Qx>(in),
          .y = sev::FieldOf<key_layout::Qy>(in)};
}

// What the format has no room for.
bool HasMore(sev::EcdsaSignatureView in) {
  return !base::AllZero(sev::FieldOf<signature_layout::Reserved090>(in));
}
bool HasMore(sev::EcdsaKeyView in) {
  return !base::AllZero(sev::FieldOf<key_layout::Reserved094>(in));
}

using AuthBytes = std::span<uint8_t, sev::kIdAuthSize>;

template <typename Field>
void PutSignature(const igvm::EcdsaSignature& signature, AuthBytes out) {
  const auto field = sev::FieldOf<Field>(out);
  std::ranges::copy(signature.r,
                    sev::FieldOf<signature_layout::R>(field).begin());
  std::ranges::copy(signature.s,
                    sev::FieldOf<signature_layout::S>(field).begin());
}

template <typename Field>
void PutKey(const igvm::EcdsaPublicKey& key, AuthBytes out) {
  const auto field = sev::FieldOf<Field>(out);
  sev::PutLe<uint32_t, key_layout::Curve>(key.curve, field);
  std::ranges::copy(key.x, sev::FieldOf<key_layout::Qx>(field).begin());
  std::ranges::copy(key.y, sev::FieldOf<key_layout::Qy>(field).begin());
}

bool IsEmpty(const igvm::EcdsaPublicKey& key,
             const igvm::EcdsaSignature& signature, uint32_t algorithm) {
  return key.curve == 0 && algorithm == 0 && base::AllZero(key.x) &&
         base::AllZero(key.y) && base::AllZero(signature.r) &&
         base::AllZero(signature.s);
}

}  // namespace

absl::StatusOr<igvm::SnpIdBlock> IgvmIdBlock(const PlanIdBlock& plan,
                                             uint32_t compatibility_mask,
                                             uint64_t policy) {
  const auto block = sev::ParseIdBlock(plan.id_block);
  const auto auth = sev::ParseIdAuth(plan.id_auth);
  if (!block.ok() || !auth.ok()) {
    return Error(kPlanNotExpressible, "the ID block is malformed");
  }
  if (block->policy != policy) {
    return Error(kPlanNotExpressible,
                 "the ID block was signed for another guest policy");
  }
  if (HasMore(auth->id_block_signature) || HasMore(auth->id_key) ||
      HasMore(auth->id_key_signature) || HasMore(auth->author_key)) {
    return Error(kPlanNotExpressible, "the ID block has reserved bytes");
  }
  namespace layout = sev::id_block_layout;
  const auto bytes = base::Bytes(plan.id_block).first<sev::kIdBlockSize>();
  return igvm::SnpIdBlock{
      .compatibility_mask = compatibility_mask,
      .author_key_enabled = auth->has_author_key,
      .launch_digest = sev::FieldOf<layout::LaunchDigest>(bytes),
      .family_id = sev::FieldOf<layout::FamilyId>(bytes),
      .image_id = sev::FieldOf<layout::ImageId>(bytes),
      .version = sev::kIdBlockVersion,
      .guest_svn = block->guest_svn,
      .id_key_algorithm = auth->id_key_algorithm,
      .author_key_algorithm = auth->author_key_algorithm,
      .id_key_signature = SignatureOf(auth->id_block_signature),
      .id_key = KeyOf(auth->id_key),
      .author_key_signature = SignatureOf(auth->id_key_signature),
      .author_key = KeyOf(auth->author_key)};
}

absl::StatusOr<PlanIdBlock> PlanOfIdBlock(const igvm::SnpIdBlock& block,
                                          uint64_t policy) {
  if (block.version != sev::kIdBlockVersion) {
    return Error(kIgvmNotLaunchable, "ID block of an unknown version");
  }
  if (!block.author_key_enabled &&
      !IsEmpty(block.author_key, block.author_key_signature,
               block.author_key_algorithm)) {
    return Error(kIgvmNotLaunchable, "ID block with a disabled author key");
  }
  // The plan would be one without an author key.
  if (block.author_key_enabled && block.author_key.curve == 0 &&
      base::AllZero(block.author_key.x) && base::AllZero(block.author_key.y)) {
    return Error(kIgvmNotLaunchable, "ID block with an author key of zeros");
  }
  sev::IdBlock id_block = {.guest_svn = block.guest_svn, .policy = policy};
  std::ranges::copy(block.launch_digest, id_block.launch_digest.begin());
  std::ranges::copy(block.family_id, id_block.family_id.begin());
  std::ranges::copy(block.image_id, id_block.image_id.begin());
  const auto encoded = sev::EncodeIdBlock(id_block);

  PlanIdBlock plan = {.id_block = {encoded.begin(), encoded.end()},
                      .id_auth = std::vector<uint8_t>(sev::kIdAuthSize)};
  const AuthBytes auth = std::span(plan.id_auth).first<sev::kIdAuthSize>();
  sev::PutLe<uint32_t, auth_layout::IdKeyAlgorithm>(block.id_key_algorithm,
                                                    auth);
  sev::PutLe<uint32_t, auth_layout::AuthorKeyAlgorithm>(
      block.author_key_algorithm, auth);
  PutSignature<auth_layout::IdBlockSignature>(block.id_key_signature, auth);
  PutKey<auth_layout::IdKey>(block.id_key, auth);
  PutSignature<auth_layout::IdKeySignature>(block.author_key_signature, auth);
  PutKey<auth_layout::AuthorKey>(block.author_key, auth);
  return plan;
}

}  // namespace launch
