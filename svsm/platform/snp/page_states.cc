// SPDX-License-Identifier: Apache-2.0
#include "svsm/platform/snp/page_states.h"

#include "svsm/platform/snp/msr_protocol.h"
#include "svsm/platform/snp/reasons.h"

namespace svsm {
namespace {

using base::Code;
using base::Result;
using base::Status;
using sev::PageOperation;

constexpr uint32_t kHeader = sev::ghcb_layout::SharedBuffer::kOffset;
constexpr uint32_t EntryOffset(size_t index) {
  return static_cast<uint32_t>(kHeader + sev::kPscHeaderSize +
                               index * sev::kPscEntrySize);
}

// 4 KiB pages in an entry.
uint64_t PagesIn(uint64_t entry) {
  return (entry & sev::kPscLargePage) != 0 ? 512 : 1;
}

bool FitsLarge(uint64_t at, uint64_t end) {
  return at % PageStates::kLarge == 0 && end - at >= PageStates::kLarge;
}

// Whichever way a change of page states ends.
class WindowCloser {
 public:
  explicit WindowCloser(PageInstructions& pages) : pages_(pages) {}
  WindowCloser(const WindowCloser&) = delete;
  WindowCloser& operator=(const WindowCloser&) = delete;
  ~WindowCloser() { pages_.CloseWindow(); }

 private:
  PageInstructions& pages_;
};

Status NotOurs() { return Status(Code::kDataLoss, kPageNotOurs); }
Status WrongCursor() { return Status(Code::kDataLoss, kPageStateCursor); }

}  // namespace

PageStates::PageStates(VmgExit& exit, Ghcb& ghcb, PageInstructions& pages,
                       unsigned c_bit, Range image)
    : exit_(exit),
      ghcb_(ghcb),
      pages_(pages),
      limit_(uint64_t{1} << c_bit),
      image_(image) {
  // An empty set takes any range.
  static_cast<void>(accepted_.Insert(image));
}

Status PageStates::Share(Range pages) { return ShareBy(pages, Way::kPage); }
Status PageStates::Unshare(Range pages) { return UnshareBy(pages, Way::kPage); }
Status PageStates::ShareByMsr(uint64_t page) {
  return ShareBy({page, page + kPageSize}, Way::kMsr);
}
Status PageStates::UnshareByMsr(uint64_t page) {
  return UnshareBy({page, page + kPageSize}, Way::kMsr);
}

Status PageStates::ShareBy(Range pages, Way way) {
  const WindowCloser closer(pages_);
  if (!image_.Contains(pages) || !accepted_.Contains(pages)) return NotOurs();
  BASE_TRY(accepted_.Remove(pages));
  for (uint64_t page = pages.begin; page < pages.end; page += kPageSize) {
    BASE_TRY(Pvalidate(page, false, false));
  }
  BASE_TRY(ChangeBy(pages, PageOperation::kShared, way));
  for (uint64_t page = pages.begin; page < pages.end; page += kPageSize) {
    pages_.MapShared(page);
    pages_.Zero(page);
  }
  return {};
}

Status PageStates::UnshareBy(Range pages, Way way) {
  const WindowCloser closer(pages_);
  if (!image_.Contains(pages) || accepted_.Overlaps(pages)) return NotOurs();
  BASE_TRY(accepted_.Insert(pages));
  BASE_TRY(ChangeBy(pages, PageOperation::kPrivate, way));
  for (uint64_t page = pages.begin; page < pages.end; page += kPageSize) {
    BASE_TRY(Pvalidate(page, false, true));
    pages_.MapPrivate(page);
    pages_.Zero(page);
  }
  return {};
}

Status PageStates::Accept(Range pages) {
  const WindowCloser closer(pages_);
  if (pages.begin >= pages.end || pages.end > limit_) {
    return Status(Code::kDataLoss, kPageBeyondCbit);
  }
  if (accepted_.Overlaps(pages) || image_.Overlaps(pages)) return NotOurs();
  BASE_TRY(accepted_.Insert(pages));
  BASE_TRY(Change(pages, PageOperation::kPrivate, Steps::kLarge));
  return Validate(pages);
}

Status PageStates::ChangeBy(Range pages, PageOperation operation, Way way) {
  if (way == Way::kPage) return Change(pages, operation, Steps::kSmall);
  for (uint64_t page = pages.begin; page < pages.end; page += kPageSize) {
    BASE_TRY(ChangePageByMsr(exit_, page, operation));
  }
  return {};
}

Status PageStates::Change(Range pages, PageOperation operation, Steps steps) {
  uint64_t at = pages.begin;
  while (at < pages.end) {
    size_t count = 0;
    for (; count < batch_.size() && at < pages.end; ++count) {
      const bool large = steps == Steps::kLarge && FitsLarge(at, pages.end);
      batch_[count] = sev::MakePscEntry(at, operation, large);
      at += large ? kLarge : kPageSize;
    }
    BASE_TRY(SendBatch(count));
  }
  return {};
}

// Sends batch_[0, count) until the host has done them all. What lies in the
// page is the host's: each exit is sent from the private copy, from where the
// host said that it got to.
Status PageStates::SendBatch(size_t count) {
  const proxy::SharedRange& page = ghcb_.page();
  size_t current = 0;
  uint64_t current_page = 0;
  unsigned idle = 0;
  for (unsigned exits = 0; current < count; ++exits) {
    if (exits == kMaxExits || idle > kMaxIdleExits) {
      return Status(Code::kUnavailable, kPageStateStuck);
    }
    const uint64_t header = current | uint64_t{count - 1} << 16;
    page.Store64(kHeader, header);
    page.Store64(EntryOffset(current), batch_[current] | current_page);
    for (size_t i = current + 1; i < count; ++i) {
      page.Store64(EntryOffset(i), batch_[i]);
    }
    BASE_TRY_ASSIGN(const Ghcb::Reply reply,
                    ghcb_.Exit({.code = sev::kExitPageStateChange,
                                .scratch = page.gpa + kHeader}));
    if (reply.info_2 != 0) {
      return Status(Code::kUnavailable, kPageStateRefused);
    }
    const uint64_t answer = page.Load64(kHeader);
    const size_t next = answer & 0xFFFF;
    // Nothing but the cursor is the host's to change.
    if ((answer ^ header) >> 16 != 0 || next < current || next > count) {
      return WrongCursor();
    }
    uint64_t next_page = 0;
    if (next < count) {
      next_page = page.Load64(EntryOffset(next)) & sev::kPscCurrentPageMask;
      if (next_page > PagesIn(batch_[next]) ||
          (next == current && next_page < current_page)) {
        return WrongCursor();
      }
    }
    idle = next == current && next_page == current_page ? idle + 1 : 0;
    current = next;
    current_page = next_page;
  }
  return {};
}

Status PageStates::Validate(Range pages) {
  uint64_t at = pages.begin;
  while (at < pages.end) {
    if (!FitsLarge(at, pages.end)) {
      BASE_TRY(Pvalidate(at, false, true));
      at += kPageSize;
      continue;
    }
    const PageInstructions::Pvalidated done = pages_.Pvalidate(at, true, true);
    if (done.code == sev::kRmpFailSizeMismatch) {
      // The host backs it by 4 KiB pages, which is its right.
      for (uint64_t page = at; page < at + kLarge; page += kPageSize) {
        BASE_TRY(Pvalidate(page, false, true));
      }
    } else if (done.code != sev::kRmpSuccess) {
      return Status(Code::kUnavailable, kPvalidateFailed);
    } else if (done.unchanged) {
      return Status(Code::kDataLoss, kPvalidateUnchanged);
    } else {
      Evict(at, kLarge);
    }
    at += kLarge;
  }
  return {};
}

Status PageStates::Pvalidate(uint64_t address, bool large, bool validate) {
  const PageInstructions::Pvalidated done =
      pages_.Pvalidate(address, large, validate);
  if (done.code != sev::kRmpSuccess) {
    return Status(Code::kUnavailable, kPvalidateFailed);
  }
  if (done.unchanged) return Status(Code::kDataLoss, kPvalidateUnchanged);
  if (validate) Evict(address, large ? kLarge : kPageSize);
  return {};
}

void PageStates::Evict(uint64_t address, uint64_t size) {
  for (uint64_t page = address; page < address + size; page += kPageSize) {
    pages_.Evict(page);
  }
}

}  // namespace svsm
