// SPDX-License-Identifier: Apache-2.0
//
// The authorities, chips and providers under which the corpus is made: new keys
// each time, everything else fixed.
#pragma once

#include <stdint.h>
#include <time.h>

#include <string_view>
#include <vector>

#include "hosted/openssl/openssl.h"
#include "psp/certificates.h"
#include "psp/chip_model.h"
#include "psp/report_maker.h"

namespace corpus {

// What every case is written in.
using hosted::openssl::PkeyPtr;
using psp::CertificateSpec;
using psp::ChipId;
using psp::ChipModel;
using psp::CrlSpec;
using psp::Der;
using psp::SignerKind;
using psp::Validity;

// When every verdict holds, where an entry says nothing else.
inline constexpr char kEvalTimeText[] = "2026-09-15T00:00:00Z";
inline constexpr time_t kEvalTime = 1789430400;
inline constexpr time_t kDaySeconds = 24 * 60 * 60;
inline constexpr time_t kYearSeconds = 365 * kDaySeconds;

inline constexpr Validity kAuthorityLife = {kEvalTime - 5 * kYearSeconds,
                                            kEvalTime + 20 * kYearSeconds};
inline constexpr Validity kVcekLife = {kEvalTime - kYearSeconds / 2,
                                       kEvalTime + 6 * kYearSeconds};
inline constexpr Validity kVlekLife = {kEvalTime - kYearSeconds / 2,
                                       kEvalTime + kYearSeconds / 2};
inline constexpr Validity kCrlLife = {kEvalTime - 27 * kDaySeconds,
                                      kEvalTime + 19 * kDaySeconds};
inline constexpr Validity kPast = {kEvalTime - 2 * kYearSeconds,
                                   kEvalTime - kDaySeconds};
inline constexpr Validity kFuture = {kEvalTime + kDaySeconds,
                                     kEvalTime + kYearSeconds};

inline constexpr char kCspId[] = "CN=cc.example.com";

using Blob = std::vector<uint8_t>;

// Like the emulator's makers, but a failure of OpenSSL ends the program.
Der Make(const CertificateSpec& spec);
Der Make(const CrlSpec& spec);

// One product line's authorities, and one chip and provider under them.
struct Line {
  const ChipModel* model = nullptr;
  PkeyPtr ark_key, ask_key, asvk_key, vcek_key, vlek_key;
  ChipId chip_id{};
  Der ark, ask, asvk, crl;

  CertificateSpec ArkSpecOf() const;
  CertificateSpec IntermediateSpecOf(SignerKind signs) const;
  // `of` may be another model of the same line.
  CertificateSpec LeafSpecOf(SignerKind kind, const ChipModel& of) const;
  CrlSpec CrlSpecOf() const;
  EVP_PKEY* LeafKey(SignerKind kind) const;
};

struct World {
  Line milan, genoa, turin;
  Line impostor;  // Milan in every name, and nobody's.
  PkeyPtr other_chip_key, p256_key;
  // ARKs with Milan's key that only these entries accept.
  Der expired_ark, unsigned_ark;

  // Of the same line; of another one.
  const Line& Of(const ChipModel& model) const;
  const Line& OtherThan(const Line& line) const;
};

// Eleven RSA-4096 keys: a few seconds.
World MakeWorld();

}  // namespace corpus
