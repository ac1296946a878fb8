#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <shared_mutex>
#include <stop_token>
#include <utility>

// Locks that a compiler checks. clang's -Wthread-safety finds each access to a member that is not
// under its mutex; `scripts/locks` makes that an error. libstdc++ does not annotate its own types,
// so the libraries use these, which are the standard's with annotations:
//
//     void add(int by) {
//         const MutexLock lock{mutex_};
//         add_locked(by);
//     }
//     void add_locked(int by) DAYBOOK_REQUIRES(mutex_) { sum_ += by; }
//
//     Mutex mutex_;
//     int sum_ DAYBOOK_GUARDED_BY(mutex_) = 0;
//
// The body of a lambda counts as a function of its own, which holds no lock. So a wait is a loop at
// the place of the call, not a predicate, and a lambda gets what it needs as a capture.
//
// clang checks nothing in constructors, destructors and catch blocks.

#if defined(__clang__)
#define DAYBOOK_THREAD_ANNOTATION(attribute) __attribute__((attribute))
#else
#define DAYBOOK_THREAD_ANNOTATION(attribute)
#endif

/// The class is a mutex.
#define DAYBOOK_CAPABILITY DAYBOOK_THREAD_ANNOTATION(capability("mutex"))
/// An object of the class holds a mutex for as long as it lives.
#define DAYBOOK_SCOPED_CAPABILITY DAYBOOK_THREAD_ANNOTATION(scoped_lockable)
/// The member is read and written only by who holds the mutex.
#define DAYBOOK_GUARDED_BY(mutex) DAYBOOK_THREAD_ANNOTATION(guarded_by(mutex))
/// The caller holds the mutex.
#define DAYBOOK_REQUIRES(mutex) DAYBOOK_THREAD_ANNOTATION(requires_capability(mutex))
/// The function returns with the mutex held, or no longer held.
#define DAYBOOK_ACQUIRE(...) DAYBOOK_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define DAYBOOK_ACQUIRE_SHARED(...) \
    DAYBOOK_THREAD_ANNOTATION(acquire_shared_capability(__VA_ARGS__))
#define DAYBOOK_RELEASE(...) DAYBOOK_THREAD_ANNOTATION(release_capability(__VA_ARGS__))
/// After a call, the compiler takes it that the mutex is held. For what keeps a lock as a member.
#define DAYBOOK_ASSERTS(mutex) DAYBOOK_THREAD_ANNOTATION(assert_capability(mutex))

namespace daybook {

/// A std::mutex. `MutexLock` locks it.
class DAYBOOK_CAPABILITY Mutex {
public:
    Mutex() = default;
    Mutex(const Mutex&) = delete;
    Mutex& operator=(const Mutex&) = delete;

private:
    friend class MutexLock;
    std::mutex mutex_;
};

/// Holds a Mutex while it lives, but for the time between `unlock` and `lock`.
class DAYBOOK_SCOPED_CAPABILITY MutexLock {
public:
    explicit MutexLock(Mutex& mutex) DAYBOOK_ACQUIRE(mutex) : lock_(mutex.mutex_) {}
    ~MutexLock() DAYBOOK_RELEASE() = default;
    MutexLock(const MutexLock&) = delete;
    MutexLock& operator=(const MutexLock&) = delete;

    void lock() DAYBOOK_ACQUIRE() { lock_.lock(); }
    void unlock() DAYBOOK_RELEASE() { lock_.unlock(); }

private:
    friend class ConditionVariable;
    friend class StoppableCondition;
    std::unique_lock<std::mutex> lock_;
};

/// A std::shared_mutex. `SharedMutexLock` locks it for one writer, `SharedMutexReadLock` for
/// readers.
class DAYBOOK_CAPABILITY SharedMutex {
public:
    SharedMutex() = default;
    SharedMutex(const SharedMutex&) = delete;
    SharedMutex& operator=(const SharedMutex&) = delete;

private:
    friend class SharedMutexLock;
    friend class SharedMutexReadLock;
    std::shared_mutex mutex_;
};

class DAYBOOK_SCOPED_CAPABILITY SharedMutexLock {
public:
    explicit SharedMutexLock(SharedMutex& mutex) DAYBOOK_ACQUIRE(mutex) : lock_(mutex.mutex_) {}
    ~SharedMutexLock() DAYBOOK_RELEASE() = default;
    SharedMutexLock(const SharedMutexLock&) = delete;
    SharedMutexLock& operator=(const SharedMutexLock&) = delete;

private:
    std::unique_lock<std::shared_mutex> lock_;
};

class DAYBOOK_SCOPED_CAPABILITY SharedMutexReadLock {
public:
    explicit SharedMutexReadLock(SharedMutex& mutex) DAYBOOK_ACQUIRE_SHARED(mutex)
        : lock_(mutex.mutex_) {}
    ~SharedMutexReadLock() DAYBOOK_RELEASE() = default;
    SharedMutexReadLock(const SharedMutexReadLock&) = delete;
    SharedMutexReadLock& operator=(const SharedMutexReadLock&) = delete;

private:
    std::shared_lock<std::shared_mutex> lock_;
};

/// A std::condition_variable. Each wait may return without a reason, so it stands in a loop:
///
///     while (!ready_ && changed_.wait_until(lock, deadline) == std::cv_status::no_timeout) {}
class ConditionVariable {
public:
    using Instant = std::chrono::steady_clock::time_point;

    void notify_one() noexcept { condition_.notify_one(); }
    void notify_all() noexcept { condition_.notify_all(); }
    void wait(MutexLock& lock) { condition_.wait(lock.lock_); }
    std::cv_status wait_until(MutexLock& lock, Instant when) {
        return condition_.wait_until(lock.lock_, when);
    }

private:
    std::condition_variable condition_;
};

/// A std::condition_variable_any, whose waits a stop request ends too. That costs one more mutex.
/// Each wait may return without a reason, so it stands in a loop:
///
///     while (!ready_ && !stop.stop_requested()) changed_.wait(lock, stop);
class StoppableCondition {
public:
    using Instant = std::chrono::steady_clock::time_point;

    void notify_all() noexcept { condition_.notify_all(); }
    void wait(MutexLock& lock, const std::stop_token& stop) {
        condition_.wait(lock.lock_, stop, Once{});
    }
    void wait_until(MutexLock& lock, const std::stop_token& stop, Instant when) {
        condition_.wait_until(lock.lock_, stop, when, Once{});
    }

private:
    /// The standard has no wait for a stop without a predicate. This one is true after one wait.
    struct Once {
        bool waited = false;
        bool operator()() noexcept { return std::exchange(waited, true); }
    };

    std::condition_variable_any condition_;
};

}  // namespace daybook
