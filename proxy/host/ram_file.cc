// SPDX-License-Identifier: Apache-2.0
#include "proxy/host/ram_file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <mutex>

#include "proxy/page_layout.h"
#include "proxy/reasons.h"

namespace proxy::host {
namespace {

using base::Code;
using base::Status;

// One for each range that is mapped now. Read by the signal handler, so plain
// atomics in static storage. base is 0 in a free slot.
struct Slot {
  std::atomic<uintptr_t> base;
  std::atomic<uint32_t> size;
  std::atomic<bool> lost;
};
static_assert(std::atomic<uintptr_t>::is_always_lock_free &&
              std::atomic<bool>::is_always_lock_free);
constexpr int kSlots = 4096;
std::array<Slot, kSlots> slots;
std::mutex slots_mutex;  // For taking and freeing; the handler only reads.
struct sigaction previous_action;

void OnSigbus(int signal, siginfo_t* info, void* context) {
  // EDGE: an address as a number, to compare it with the slots.
  const auto address = reinterpret_cast<uintptr_t>(info->si_addr);
  const int saved_errno = errno;
  for (Slot& slot : slots) {
    const uintptr_t base = slot.base.load();
    const uint32_t size = slot.size.load();
    if (base == 0 || address < base || address - base >= size) continue;
    // Zero pages in its place; mmap is a plain system call on Linux.
    // EDGE: the address that our own mmap returned.
    void* place = reinterpret_cast<void*>(base);
    if (mmap(place, size, PROT_READ | PROT_WRITE,
             MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
             0) != place) {
      break;
    }
    slot.lost.store(true);
    errno = saved_errno;
    return;
  }
  errno = saved_errno;
  // Not ours: whoever was there before decides.
  if ((previous_action.sa_flags & SA_SIGINFO) != 0) {
    previous_action.sa_sigaction(signal, info, context);
  } else {
    sigaction(SIGBUS, &previous_action, nullptr);  // And it faults again.
  }
}

void InstallHandler() {
  static std::once_flag once;
  std::call_once(once, [] {
    struct sigaction action = {};
    action.sa_sigaction = &OnSigbus;
    action.sa_flags = SA_SIGINFO;
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, &previous_action);
  });
}

int TakeSlot(void* base, uint32_t size) {
  const std::scoped_lock lock(slots_mutex);
  for (int i = 0; i < kSlots; ++i) {
    Slot& slot = slots[static_cast<size_t>(i)];
    if (slot.base.load() != 0) continue;
    slot.lost.store(false);
    slot.size.store(size);
    // EDGE: kept as a number; the handler compares addresses.
    slot.base.store(reinterpret_cast<uintptr_t>(base));
    return i;
  }
  return -1;
}

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() {
    if (fd_ >= 0) close(fd_);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  int get() const { return fd_; }

 private:
  const int fd_;
};

}  // namespace

base::Result<std::unique_ptr<MappedRange>> MappedRange::Map(
    const std::string& path, const Registration& registration) {
  InstallHandler();
  const Status unusable(Code::kUnavailable, kRamFileUnusable);
  // O_NONBLOCK: a FIFO in its place must not hold up the daemon.
  const FileDescriptor file(
      open(path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat status = {};
  if (file.get() < 0 || fstat(file.get(), &status) != 0 ||
      !S_ISREG(status.st_mode)) {
    return unusable;
  }
  if (registration.length == 0 || registration.length > kSharedRangeSize ||
      registration.gpa > kSharedRangeLimit - registration.length ||
      status.st_size < 0 ||
      registration.gpa + registration.length >
          static_cast<uint64_t>(status.st_size)) {
    return Status(Code::kInvalidArgument, kRangeOutsideRam);
  }
  void* base =
      mmap(nullptr, registration.length, PROT_READ | PROT_WRITE, MAP_SHARED,
           file.get(), static_cast<off_t>(registration.gpa));
  if (base == MAP_FAILED) return unusable;
  const int slot = TakeSlot(base, registration.length);
  if (slot < 0) {
    munmap(base, registration.length);
    return unusable;
  }
  // EDGE: the guest writes it at any time.
  const SharedRange range = {static_cast<volatile uint8_t*>(base),
                             registration.gpa, registration.length};
  return std::unique_ptr<MappedRange>(new MappedRange(range, slot));
}

std::string WhyUnusable(const std::string& path) {
  const FileDescriptor file(
      open(path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat status = {};
  if (file.get() < 0 || fstat(file.get(), &status) != 0) {
    const int error = errno;
    std::string why = path + ": " + strerror(error);
    if (error == EACCES) {
      why += " for this daemon's user (uid " + std::to_string(geteuid()) + ")";
    }
    return why;
  }
  if (!S_ISREG(status.st_mode)) return path + ": not a regular file";
  return path + ": it cannot be mapped";
}

MappedRange::~MappedRange() {
  if (slot_ == kBorrowed) return;
  // EDGE: only the cast that mmap's interface asks for.
  munmap(const_cast<uint8_t*>(range_.base), range_.size);
  const std::scoped_lock lock(slots_mutex);
  slots[static_cast<size_t>(slot_)].base.store(0);
}

bool MappedRange::lost() const {
  return slot_ != kBorrowed && slots[static_cast<size_t>(slot_)].lost.load();
}

}  // namespace proxy::host
