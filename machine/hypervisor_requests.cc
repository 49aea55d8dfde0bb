// SPDX-License-Identifier: Apache-2.0
//
// Hypervisor: the exits that are about memory: MMIO, page states and guest
// requests.
#include <string.h>

#include <algorithm>

#include "absl/strings/str_format.h"
#include "machine/hypervisor.h"
#include "sev/guest_message.h"

namespace machine {
namespace {

namespace g = sev::ghcb_layout;

}  // namespace

// Version 2 wants it within the GHCB's shared buffer.
base::MutableBytes Hypervisor::Scratch(const Exit& exit, size_t size,
                                       GhcbPage& ghcb) {
  const uint64_t begin = exit.msr + g::SharedBuffer::kOffset;
  const uint64_t end = exit.msr + g::SharedBuffer::kEnd;
  if (exit.scratch < begin || exit.scratch >= end ||
      size > end - exit.scratch) {
    ghcb.Refuse(sev::kMalformedScratchArea);
    return {};
  }
  return base::MutableBytes(ghcb.bytes())
      .subspan(exit.scratch - exit.msr, size == 0 ? end - exit.scratch : size);
}

// Of what is no RAM only the local APIC is there; the rest reads all ones.
void Hypervisor::Mmio(Exit& exit, GhcbPage& ghcb) {
  if (exit.info2 == 0 || exit.info2 > 8) {
    ghcb.Refuse(sev::kMalformedInvalidInput);
    return;
  }
  const base::MutableBytes data = Scratch(exit, exit.info2, ghcb);
  if (data.empty()) return;
  const uint64_t offset = exit.info1 - LocalApic::kBase;
  const bool apic = exit.info1 >= LocalApic::kBase &&
                    offset < LocalApic::kSize && data.size() == 4;
  if (exit.code == sev::kExitMmioWrite) {
    if (apic) apic_.Write(offset, base::LoadLe<uint32_t>(data.first<4>()));
    return;
  }
  memset(data.data(), 0xFF, data.size());
  if (apic) base::StoreLe<uint32_t>(apic_.Read(offset), data.first<4>());
}

void Hypervisor::PageStateChange(Exit& exit, GhcbPage& ghcb) {
  const base::MutableBytes buffer = Scratch(exit, 0, ghcb);
  if (buffer.empty()) return;
  if (buffer.size() < sev::kPscHeaderSize) {
    ghcb.Refuse(sev::kMalformedScratchArea);
    return;
  }
  const std::span<const uint8_t> header = buffer.first(sev::kPscHeaderSize);
  absl::StrAppendFormat(&exit.detail, " entries %d to %d",
                        base::LoadLe<uint16_t>(header.subspan<0, 2>()),
                        base::LoadLe<uint16_t>(header.subspan<2, 2>()));
  ghcb.Set<g::SwExitInfo2>(
      ChangePageStates(buffer, options_.large_pages, memory_));
}

// --- Guest requests. 56421, 4.1.7 and 4.1.8.

std::optional<Ending> Hypervisor::GuestRequest(Exit& exit, GhcbPage& ghcb) {
  return ForwardToFirmware(exit, ghcb);
}

std::optional<Ending> Hypervisor::ExtendedGuestRequest(Exit& exit,
                                                       GhcbPage& ghcb) {
  const uint64_t gpa = exit.rax, pages = exit.rbx;
  const base::MutableBytes request = memory_.Shared(exit.info1, kPageSize);
  if (request.empty()) {
    return Ending::Violation(absl::StrFormat(
        "guest request at %#x, which is not shared", exit.info1));
  }
  const bool report = request[sev::message_layout::Type::kOffset] ==
                      static_cast<uint8_t>(sev::MessageType::kReportRequest);
  if (report && (!has_certificate_buffer_ || gpa % kPageSize != 0)) {
    ghcb.Refuse(sev::kMalformedInvalidInput);
    return {};
  }
  const std::vector<uint8_t>& table = options_.certificates;
  const uint64_t needed = (table.size() + kPageSize - 1) / kPageSize;
  if (report && pages < needed) {
    rbx_ = needed;
    ghcb.Set<g::SwExitInfo2>(uint64_t{sev::kGuestRequestInvalidLength} << 32);
    return {};
  }
  if (report && pages != 0) {
    const base::MutableBytes out = memory_.Shared(gpa, pages * kPageSize);
    if (out.empty()) {
      return Ending::Violation(absl::StrFormat(
          "certificate buffer at %#x, which is not shared", gpa));
    }
    // A table ends with an entry of zeros; none at all is just that entry.
    constexpr size_t kEmptyTable = 24;
    if (table.empty()) memset(out.data(), 0, kEmptyTable);
    std::copy(table.begin(), table.end(), out.begin());
  }
  return ForwardToFirmware(exit, ghcb);
}

std::optional<Ending> Hypervisor::ForwardToFirmware(Exit& exit,
                                                    GhcbPage& ghcb) {
  const base::MutableBytes request = memory_.Shared(exit.info1, kPageSize);
  const base::MutableBytes response = memory_.Shared(exit.info2, kPageSize);
  if (request.empty() || response.empty()) {
    return Ending::Violation(absl::StrFormat(
        "guest request at %#x, %#x: not shared pages", exit.info1, exit.info2));
  }
  psp::Page copy;
  memcpy(copy.data(), request.data(), copy.size());
  const psp::Firmware::Reply reply = firmware_.Request(copy);
  if (reply.exit_info_2 == 0 &&
      reply.delivery == psp::Firmware::Delivery::kAnswer) {
    memcpy(response.data(), reply.page.data(), reply.page.size());
  }
  ghcb.Set<g::SwExitInfo2>(reply.exit_info_2);
  return {};
}

}  // namespace machine
