// SPDX-License-Identifier: Apache-2.0
#include "hosted/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "hosted/files.h"
#include "hosted/text.h"

namespace hosted {
namespace {

// A pipe that poll() calls writable takes this much without blocking.
constexpr size_t kChunk = PIPE_BUF;
constexpr size_t kStackSize = 256 * 1024;

std::string_view NameOf(Log::Level level) {
  switch (level) {
    case Log::Level::kError:
      return "error";
    case Log::Level::kWarning:
      return "warning";
    case Log::Level::kInfo:
      return "info";
  }
  return "?";
}

bool IsJournal(int fd) {
  const char* stream = getenv("JOURNAL_STREAM");
  struct stat about = {};
  return stream != nullptr && fstat(fd, &about) == 0 &&
         absl::StrCat(about.st_dev, ":", about.st_ino) == stream;
}

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20; }

}  // namespace

struct Log::State {
  explicit State(const Options& options)
      : limits(options),
        journal(IsJournal(options.fd)),
        output(fcntl(options.fd, F_DUPFD_CLOEXEC, 0)),
        wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

  struct Entry {
    std::string line;
    uint64_t count = 1;  // How many lines are lost with it.
  };

  std::string Format(Level level, std::string_view text) const;
  Entry Dropped(uint64_t count) const;
  // With `mutex` held: takes the first of the queue.
  Entry Pop();
  // The thread's.
  void Run();
  bool Write(std::string_view line);

  const Options limits;
  const bool journal;
  Descriptor output;      // The thread's; it closes it at its end.
  const Descriptor wake;  // Readable: give up what is not written.

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Entry> queue;
  size_t queued_bytes = 0;
  bool full = false;       // Until half of the queue is free.
  uint64_t refused = 0;    // While it was full; told behind what is queued.
  uint64_t unwritten = 0;  // By failed writes; told before the next line.
  uint64_t dropped = 0;    // All of both, ever.
  bool closing = false;
  bool giving_up = false;
  bool ended = false;

  bool cut = false;  // The thread's: the last line's end is missing.
};

std::string Log::State::Format(Level level, std::string_view text) const {
  std::string line =
      journal ? absl::StrCat("<", static_cast<int>(level), ">")
              : absl::StrCat(absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ ",
                                              absl::Now(), absl::UTCTimeZone()),
                             NameOf(level), " ");
  text = text.substr(0, limits.bytes / 4);
  const bool clean = std::ranges::none_of(text, IsControl);
  absl::StrAppend(&line, clean ? std::string(text) : Printable(text), "\n");
  return line;
}

Log::State::Entry Log::State::Dropped(uint64_t count) const {
  return {
      Format(Level::kWarning,
             absl::StrCat(count, count == 1 ? " line" : " lines", " dropped")),
      count};
}

Log::State::Entry Log::State::Pop() {
  Entry entry = std::move(queue.front());
  queue.pop_front();
  queued_bytes -= entry.line.size();
  if (full && queue.size() <= limits.lines / 2 &&
      queued_bytes <= limits.bytes / 2) {
    full = false;
    queue.push_back(Dropped(std::exchange(refused, 0)));
    queued_bytes += queue.back().line.size();
  }
  return entry;
}

// False: it is lost, or a part of it. Waits for the reader, but not for one
// that Close() has given up.
bool Log::State::Write(std::string_view line) {
  const std::string whole = absl::StrCat(cut ? "\n" : "", line);
  std::string_view left = whole;
  while (!left.empty()) {
    pollfd fds[] = {{output.get(), POLLOUT, 0}, {wake.get(), POLLIN, 0}};
    if (!output.open() || (poll(fds, 2, -1) < 0 && errno != EINTR))
      return false;
    if (fds[1].revents != 0) return false;
    if (fds[0].revents == 0) continue;
    const ssize_t put =
        write(output.get(), left.data(), std::min(left.size(), kChunk));
    if (put < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (put <= 0) return false;
    cut = left[static_cast<size_t>(put) - 1] != '\n';
    left.remove_prefix(static_cast<size_t>(put));
  }
  return true;
}

void Log::State::Run() {
  std::unique_lock lock(mutex);
  for (;;) {
    changed.wait(lock, [&] { return closing || !queue.empty(); });
    if (giving_up || queue.empty()) break;
    const Entry entry = Pop();
    const Entry lost = Dropped(unwritten);
    lock.unlock();
    const bool told = lost.count == 0 || Write(lost.line);
    const bool written = told && Write(entry.line);
    lock.lock();
    if (told) unwritten = 0;
    if (!written) {
      unwritten += entry.count;
      dropped += entry.count;
    }
  }
  if (!giving_up && unwritten != 0) {
    const Entry lost = Dropped(unwritten);
    lock.unlock();
    Write(lost.line);
    lock.lock();
  }
  output.Close();
  ended = true;
  changed.notify_all();
}

Log::Log(const Options& options) : state_(std::make_shared<State>(options)) {
  auto* thread_state = new std::shared_ptr<State>(state_);
  const auto run = [](void* argument) -> void* {
    const std::unique_ptr<std::shared_ptr<State>> state(
        static_cast<std::shared_ptr<State>*>(argument));
    (*state)->Run();
    return nullptr;
  };
  // Signals are the event loop's; a closed pipe is an error like another.
  sigset_t all, before;
  sigfillset(&all);
  pthread_attr_t attributes;
  pthread_t thread;
  const bool started =
      state_->wake.open() && pthread_attr_init(&attributes) == 0 &&
      pthread_attr_setstacksize(&attributes, kStackSize) == 0 &&
      pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED) == 0 &&
      pthread_sigmask(SIG_SETMASK, &all, &before) == 0 &&
      pthread_create(&thread, &attributes, run, thread_state) == 0 &&
      pthread_sigmask(SIG_SETMASK, &before, nullptr) == 0;
  if (!started) abort();
  pthread_attr_destroy(&attributes);
}

Log::~Log() { Close(kPatience); }

void Log::Line(Level level, std::string_view text) {
  State& state = *state_;
  std::string line = state.Format(level, text);
  const std::lock_guard lock(state.mutex);
  if (state.closing) return;
  const bool room = state.queue.empty() ||
                    (state.queue.size() < state.limits.lines &&
                     state.queued_bytes + line.size() <= state.limits.bytes);
  if (state.full || !room) {
    state.full = true;
    ++state.refused;
    ++state.dropped;
    return;
  }
  state.queued_bytes += line.size();
  state.queue.push_back({std::move(line)});
  state.changed.notify_all();
}

bool Log::Close(std::chrono::milliseconds patience) {
  State& state = *state_;
  std::unique_lock lock(state.mutex);
  state.closing = true;
  state.changed.notify_all();
  const auto ended = [&] { return state.ended; };
  if (state.changed.wait_for(lock, patience, ended)) {
    return state.unwritten == 0;
  }
  state.giving_up = true;
  const uint64_t one = 1;
  const ssize_t woken = write(state.wake.get(), &one, sizeof(one));
  // Not for long: a write() that blocks after all returns with the process.
  state.changed.wait_for(lock, patience, [&] { return woken < 0 || ended(); });
  return false;
}

uint64_t Log::dropped() const {
  const std::lock_guard lock(state_->mutex);
  return state_->dropped;
}

}  // namespace hosted
