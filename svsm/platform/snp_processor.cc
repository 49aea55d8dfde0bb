// SPDX-License-Identifier: Apache-2.0
#include "svsm/platform/snp_processor.h"

#include "sev/ghcb.h"
#include "svsm/platform/guest_request/reasons.h"

namespace svsm {
namespace {

using base::Bytes;
using base::Code;
using base::Result;
using base::Status;

// Offsets in the shared memory.
constexpr uint32_t kRequest = 0;
constexpr uint32_t kResponse = SnpProcessor::kPage;
constexpr uint32_t kCertificates = 2 * SnpProcessor::kPage;
static_assert(SnpProcessor::kPage == sev::kMessagePageSize);

constexpr bool IsInvalidLength(const GuestRequestExit::Answer& answer) {
  return answer.result == sev::kExitResultOk &&
         answer.exit_info_2 >> 32 == sev::kGuestRequestInvalidLength;
}

}  // namespace

SnpProcessor::SnpProcessor(GuestRequestExit& exit,
                           const proxy::SharedRange& shared)
    : exit_(exit), shared_(shared) {
  if (shared_.size < kSharedSize) __builtin_trap();
}

Result<uint64_t> SnpProcessor::Exchange(sev::ConstMessagePage request,
                                        sev::MessagePage response,
                                        base::Instant) {
  table_size_ = 0;
  BASE_TRY_ASSIGN(const GuestRequestExit::Answer answer,
                  extended_ ? RingExtended(request) : RingPlain(request));
  if (answer.result != sev::kExitResultOk) {
    return Status(Code::kUnavailable, kHostRefused);
  }
  if (answer.exit_info_2 == 0) {
    shared_.CopyOut(kResponse, response);
    if (extended_) TakeCertificates();
  }
  return answer.exit_info_2;
}

// Ends: the buffer only grows, up to its bound.
Result<GuestRequestExit::Answer> SnpProcessor::RingExtended(
    sev::ConstMessagePage request) {
  for (;;) {
    Place(request);
    BASE_TRY_ASSIGN(const GuestRequestExit::Answer answer,
                    exit_.ExtendedGuestRequest(
                        shared_.gpa + kRequest, shared_.gpa + kResponse,
                        shared_.gpa + kCertificates, certificate_pages_));
    if (answer.result == sev::kExitResultOk && !IsInvalidLength(answer)) {
      return answer;
    }
    if (!IsInvalidLength(answer) || answer.rbx <= certificate_pages_ ||
        answer.rbx > kMaxCertificatePages) {
      extended_ = false;
      return RingPlain(request);
    }
    certificate_pages_ = static_cast<uint32_t>(answer.rbx);
  }
}

Result<GuestRequestExit::Answer> SnpProcessor::RingPlain(
    sev::ConstMessagePage request) {
  Place(request);
  return exit_.GuestRequest(shared_.gpa + kRequest, shared_.gpa + kResponse);
}

// Clears what the host is about to fill: an answer that was not written is not
// taken for one.
void SnpProcessor::Place(sev::ConstMessagePage request) {
  shared_.CopyIn(kRequest, request);
  shared_.Zero(kResponse, kSharedSize - kResponse);
}

void SnpProcessor::TakeCertificates() {
  table_size_ = size_t{certificate_pages_} * kPage;
  shared_.CopyOut(kCertificates, base::MutableBytes(table_).first(table_size_));
}

size_t SnpProcessor::Certificates(sev::SigningKey signing_key,
                                  base::MutableBytes out) const {
  const Result<sev::CertTable> table =
      sev::ParseCertTable(Bytes(table_).first(table_size_));
  if (!table.ok()) return 0;
  sev::CertTableEntry leaf;
  if (signing_key == sev::SigningKey::kVcek) {
    leaf = {sev::kGuidVcek, table->vcek};
  } else if (signing_key == sev::SigningKey::kVlek) {
    leaf = {sev::kGuidVlek, table->vlek};
  }
  if (leaf.certificate.empty()) return 0;
  const std::array<sev::CertTableEntry, 3> chain{
      leaf, {sev::kGuidAsk, table->ask}, {sev::kGuidArk, table->ark}};
  // The verifier has those above the leaf itself, if they are too much.
  for (size_t count = chain.size(); count > 0; --count) {
    const Result<size_t> size =
        sev::PackCertTable(std::span(chain).first(count), out);
    if (size.ok()) return *size;
  }
  return 0;
}

}  // namespace svsm
