// SPDX-License-Identifier: Apache-2.0
//
// The certificates and revocation lists of an emulated key hierarchy, in AMD's
// form.
//
// Form: AMD 57230 (VCEK Certificate and KDS Interface) rev. 1.0, tables of the
// ARK, ASK, ASVK, VCEK and VLEK certificates, and genuine ones: the same
// distinguished names (so that any SNP verifier which checks them works), with
// one more attribute that genuine ones do not have, description, which says
// EMULATED. RSASSA-PSS, SHA-384, MGF1 with SHA-384, salt of 48 bytes.
//
// A certificate is written down as a spec first, so that a test can make one
// thing wrong before it is signed.
#pragma once

#include <stdint.h>
#include <time.h>

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "hosted/openssl/openssl.h"
#include "psp/chip_model.h"
#include "sev/tcb.h"

namespace psp {

inline constexpr char kEmulatedMark[] = "EMULATED by Forelock, not AMD";

using Der = std::vector<uint8_t>;
using ChipId = std::array<uint8_t, 64>;

enum class SignerKind : uint8_t { kVcek, kVlek };

struct Validity {
  time_t not_before = 0;
  time_t not_after = 0;
};
// From a day ago: a certificate of a machine whose clock is a little ahead is
// valid too.
Validity ValidForDays(long days);

inline constexpr long kRootDays = 25 * 365;
inline constexpr long kVcekDays = 7 * 365;
inline constexpr long kVlekDays = 365;

// How an authority signs. All but the first are for tests of verifiers.
enum class SignatureForm : uint8_t {
  kAmd,
  kPssSalt20,
  kPssSha256,
  kPkcs1Sha384,
  kPkcs1Sha1,
};

// One of 1.3.6.1.4.1.3704.1.*; `value` stands in the extension's OCTET STRING
// as it is.
struct AmdExtension {
  std::string arc;
  Der value;
};
// The values that AMD uses. DER INTEGER: from 0x80 on with a leading zero.
Der DerInteger(uint8_t value);
Der DerIa5String(const std::string& text);
// Up to 127 bytes of contents. AMD's key service once announced hwID in this
// form; every genuine one so far is the octets alone.
Der DerOctetString(const Der& contents);

struct CertificateSpec {
  enum class Role : uint8_t { kRoot, kIntermediate, kLeaf };
  Role role = Role::kLeaf;
  std::string subject, issuer;  // common names
  long serial = 0;
  Validity validity;
  EVP_PKEY* key = nullptr;     // the subject's; borrowed
  EVP_PKEY* signer = nullptr;  // the issuer's; borrowed
  SignatureForm form = SignatureForm::kAmd;
  std::vector<AmdExtension> extensions;

  AmdExtension* Find(std::string_view arc);
  void Remove(std::string_view arc);
};
absl::StatusOr<Der> MakeCertificate(const CertificateSpec& spec);

// The specs of good certificates.
CertificateSpec ArkSpec(const ChipModel& model, EVP_PKEY* ark);
// The ASK, which signs VCEKs, or the ASVK, which signs VLEKs.
CertificateSpec IntermediateSpec(const ChipModel& model, SignerKind signs,
                                 EVP_PKEY* key, EVP_PKEY* ark);
CertificateSpec VcekSpec(const ChipModel& model, const ChipId& chip_id,
                         EVP_PKEY* vcek, EVP_PKEY* ask);
// `csp_id` as genuine ones: "CN=" and a name.
CertificateSpec VlekSpec(const ChipModel& model, const std::string& csp_id,
                         EVP_PKEY* vlek, EVP_PKEY* asvk);

struct CrlSpec {
  std::string issuer;
  long number = 1;
  Validity validity;  // thisUpdate, nextUpdate
  EVP_PKEY* signer = nullptr;
  std::optional<long> revoked_serial;
  long other_entries = 0;  // More, of serial numbers that nothing has.
};
CrlSpec GoodCrlSpec(const ChipModel& model, EVP_PKEY* ark);
absl::StatusOr<Der> MakeCrl(const CrlSpec& spec);

// Milan's.
inline absl::StatusOr<Der> MakeArkCertificate(EVP_PKEY* ark) {
  return MakeCertificate(ArkSpec(kMilan, ark));
}
inline absl::StatusOr<Der> MakeAskCertificate(EVP_PKEY* ask, EVP_PKEY* ark) {
  return MakeCertificate(IntermediateSpec(kMilan, SignerKind::kVcek, ask, ark));
}

}  // namespace psp
