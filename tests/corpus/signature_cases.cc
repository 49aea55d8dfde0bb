// SPDX-License-Identifier: Apache-2.0
//
// Bytes of a signed report, changed: every flipped bit of the signed body, and
// the encodings of R and S.
#include <algorithm>
#include <memory>

#include "hosted/openssl/openssl.h"
#include "openssl/bn.h"
#include "openssl/ec.h"
#include "openssl/objects.h"
#include "tests/corpus/report_case.h"

namespace corpus {
namespace {

using hosted::openssl::BnPtr;
using hosted::openssl::Deleter;

namespace layout = sev::report_layout;
using GroupPtr = std::unique_ptr<EC_GROUP, Deleter<EC_GROUP_free>>;

constexpr size_t kComponentSize = 72;  // In a report.
constexpr size_t kNumberSize = 48;     // Of P-384.
constexpr char kDerived[] = "report-derived";

BnPtr Order() {
  const GroupPtr group(EC_GROUP_new_by_curve_name(NID_secp384r1));
  return BnPtr(BN_dup(EC_GROUP_get0_order(group.get())));
}

BnPtr Read(const Blob& report, size_t offset) {
  return BnPtr(
      BN_lebin2bn(report.data() + offset, int{kComponentSize}, nullptr));
}

void Write(Blob& report, size_t offset, const BIGNUM* number) {
  BN_bn2lebinpad(number, report.data() + offset, int{kComponentSize});
}

void AddOrder(Blob& report, size_t offset) {
  const BnPtr number = Read(report, offset);
  BN_add(number.get(), number.get(), Order().get());
  Write(report, offset, number.get());
}

void NegateS(Evidence& evidence) {
  const BnPtr s = Read(evidence.report, layout::SignatureS::kOffset);
  BN_sub(s.get(), Order().get(), s.get());
  Write(evidence.report, layout::SignatureS::kOffset, s.get());
}

void BigEndian(Evidence& evidence) {
  for (const size_t at :
       {layout::SignatureR::kOffset, layout::SignatureS::kOffset}) {
    std::reverse(
        evidence.report.begin() + static_cast<long>(at),
        evidence.report.begin() + static_cast<long>(at + kComponentSize));
  }
}

void Packed(Evidence& evidence) {
  const auto r =
      evidence.report.begin() + static_cast<long>(layout::SignatureR::kOffset);
  const auto s =
      evidence.report.begin() + static_cast<long>(layout::SignatureS::kOffset);
  const Blob number(s, s + kNumberSize);
  std::fill(s, s + kComponentSize, uint8_t{0});
  std::ranges::copy(number, r + kNumberSize);
}

void Wrap(Evidence& evidence) {
  Blob wrapped(0x20);
  wrapped[4] = 0xA0;
  wrapped[5] = 0x04;
  wrapped.insert(wrapped.end(), evidence.report.begin(), evidence.report.end());
  evidence.report = std::move(wrapped);
}

std::function<void(Evidence&)> Zero(size_t offset) {
  return [offset](Evidence& evidence) {
    std::fill_n(evidence.report.begin() + static_cast<long>(offset),
                kComponentSize, uint8_t{0});
  };
}

struct Flip {
  const char* name;
  size_t offset;
  uint8_t mask;
  const char* also_failing = "";
};

// A TCB stays on its side of CURRENT_TCB, on every product.
constexpr Flip kFlips[] = {
    {"guest-svn", 0x04, 1},
    {"policy-debug", 0x0A, 8},
    {"family-id", 0x10, 1},
    {"image-id", 0x2F, 0x80},
    {"vmpl", 0x30, 1},
    {"current-tcb", 0x38, 0x80},
    {"platform-info", 0x40, 1},
    {"report-data-first", 0x50, 1},
    {"report-data-last", 0x8F, 0x80},
    {"measurement", 0x90, 1},
    {"host-data", 0xC0, 1},
    {"id-key-digest", 0xE0, 1},
    {"author-key-digest", 0x110, 1},
    {"report-id", 0x140, 1},
    {"report-id-ma", 0x160, 1},
    {"reported-tcb", 0x187, 0x10, " tcb_ucode_spl"},
    {"cpuid-stepping", 0x18A, 1},
    {"chip-id", 0x1A0, 1, " hwid_equals_chip_id"},
    {"committed-tcb", 0x1E7, 0x10},
    {"current-version", 0x1E8, 1},
    {"committed-version", 0x1EE, 1},
    {"launch-tcb", 0x1F0, 1},
    {"launch-mitigations", 0x1F8, 1},
    {"current-mitigations", 0x207, 0x80},
    {"last-signed-byte", 0x29F, 1, " reserved_mbz"},
    {"signature-r", 0x2A0, 1},
    {"signature-s", 0x2E8, 1},
};

}  // namespace

std::vector<ReportCase> SignatureCases() {
  const std::string range =
      "signature_padding_zero r_s_in_range "
      "report_signature";
  const std::string unsigned_range = "r_s_in_range report_signature";
  constexpr size_t kR = layout::SignatureR::kOffset;
  constexpr size_t kS = layout::SignatureS::kOffset;
  std::vector<ReportCase> cases = {
      {"malleated-s", "(R, n-S): ECDSA cannot tell; the body is untouched", "",
       nullptr, NegateS},
      {"r-plus-n", "R + n: out of range", range, nullptr,
       [](Evidence& evidence) { AddOrder(evidence.report, kR); }},
      {"s-plus-n", "S + n: out of range", range, nullptr,
       [](Evidence& evidence) { AddOrder(evidence.report, kS); }},
      {"r-is-n", "R is the order", unsigned_range, nullptr,
       [](Evidence& evidence) { Write(evidence.report, kR, Order().get()); }},
      {"s-is-n", "S is the order", unsigned_range, nullptr,
       [](Evidence& evidence) { Write(evidence.report, kS, Order().get()); }},
      {"r-zero", "R is zero", unsigned_range, nullptr, Zero(kR)},
      {"s-zero", "S is zero", unsigned_range, nullptr, Zero(kS)},
      {"r-s-zero", "no signature, and MASK_CHIP_KEY is not set", unsigned_range,
       nullptr,
       [](Evidence& evidence) {
         Zero(kR)(evidence);
         Zero(kS)(evidence);
       }},
      {"r-s-big-endian", "R and S in big-endian", range, nullptr, BigEndian},
      {"r-s-packed", "R and S in 48 bytes each", range, nullptr, Packed},
      {.name = "junk-after-signature",
       .reason = "a byte of the unsigned tail is not zero",
       .failing = "signature_padding_zero",
       .after = [](Evidence& evidence) { evidence.report[0x330] = 1; },
       .profile = true},
      {.name = "junk-at-the-end",
       .reason = "the last byte of the unsigned tail is not zero",
       .failing = "signature_padding_zero",
       .after = [](Evidence& evidence) { evidence.report.back() = 1; },
       .profile = true},
      {"truncated", "1183 bytes", "length_1184", nullptr,
       [](Evidence& evidence) { evidence.report.pop_back(); }},
      {"extended", "1185 bytes", "length_1184", nullptr,
       [](Evidence& evidence) { evidence.report.push_back(0); }},
      {"message-header", "still in its MSG_REPORT_RSP", "length_1184", nullptr,
       Wrap},
  };
  for (const Flip& flip : kFlips) {
    cases.push_back(
        {.name = std::string("flip-") + flip.name,
         .reason = "one bit of a signed report changed",
         .failing = std::string("report_signature") + flip.also_failing,
         .after =
             [&flip](Evidence& evidence) {
               evidence.report[flip.offset] ^= flip.mask;
             },
         .version = 5});
  }
  for (ReportCase& each : cases) each.kind = kDerived;
  return cases;
}

}  // namespace corpus
