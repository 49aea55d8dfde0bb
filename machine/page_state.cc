// SPDX-License-Identifier: Apache-2.0
#include "machine/page_state.h"

#include "sev/ghcb.h"
#include "sev/wire_field.h"

namespace machine {
namespace {

constexpr uint64_t kMsrFailed =
    uint64_t{1} << 63 | sev::kMsrPageStateResponse;  // As KVM answers.

// `gpa` is RAM.
void Change(sev::PageOperation operation, uint64_t gpa, uint64_t size,
            bool large, HostView& memory) {
  if (operation == sev::PageOperation::kPrivate) {
    memory.MakePrivate(gpa, size, large);
  } else if (operation == sev::PageOperation::kShared) {
    memory.MakeShared(gpa, size);
  }
  // PSMASH and UNSMASH are advice; KVM takes them for done.
}

}  // namespace

uint64_t ChangePageStates(base::MutableBytes buffer, LargePages large_pages,
                          HostView& memory) {
  if (buffer.size() < sev::kPscHeaderSize) return kPscInvalidHeader;
  const auto header = buffer.first<sev::kPscHeaderSize>();
  const std::span<const uint8_t, sev::kPscHeaderSize> read(header);
  const size_t capacity =
      (buffer.size() - sev::kPscHeaderSize) / sev::kPscEntrySize;
  const auto first = sev::GetLe<uint16_t, sev::psc_layout::CurrentEntry>(read);
  const auto last = sev::GetLe<uint16_t, sev::psc_layout::EndEntry>(read);
  if (last >= capacity) return kPscInvalidHeader;
  for (size_t i = first; i <= last; ++i) {
    const auto bytes =
        buffer.subspan(sev::kPscHeaderSize + i * sev::kPscEntrySize)
            .first<sev::kPscEntrySize>();
    const auto entry = base::LoadLe<uint64_t>(bytes);
    const bool large = (entry & sev::kPscLargePage) != 0;
    const uint64_t size = large ? kLargePageSize : kPageSize;
    const uint64_t gpa = entry & sev::kPscGfnMask;
    const uint64_t done = (entry & sev::kPscCurrentPageMask) * kPageSize;
    const auto operation =
        static_cast<sev::PageOperation>(entry >> sev::kPscOperationShift & 0xF);
    if (done > size || gpa % size != 0) return kPscInvalidEntry;
    if (!memory.IsRam(gpa, size)) return kPscFailed;
    if (done < size) {
      Change(operation, gpa + done, size - done,
             large && done == 0 && large_pages == LargePages::kKeep, memory);
    }
    base::StoreLe<uint64_t>(
        (entry & ~sev::kPscCurrentPageMask) | size / kPageSize, bytes);
    sev::PutLe<uint16_t, sev::psc_layout::CurrentEntry>(
        static_cast<uint16_t>(i + 1), header);
  }
  return kPscDone;
}

uint64_t ChangePageStateByMsr(uint64_t request, HostView& memory) {
  const auto operation = static_cast<sev::PageOperation>(
      request >> sev::kMsrPageStateOperationShift & 0xF);
  const uint64_t gpa = request & sev::kMsrPageStateGfnMask;
  if ((operation != sev::PageOperation::kPrivate &&
       operation != sev::PageOperation::kShared) ||
      !memory.IsRam(gpa, kPageSize)) {
    return kMsrFailed;
  }
  Change(operation, gpa, kPageSize, false, memory);
  return sev::kMsrPageStateResponse;
}

}  // namespace machine
