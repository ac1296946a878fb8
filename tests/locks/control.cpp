// What `scripts/locks` shows to clang: a class whose locks are right, and with each of the macros
// one fault that clang must refuse.
#include "daybook/core/mutex.hpp"

namespace {

using daybook::Mutex;
using daybook::MutexLock;
using daybook::SharedMutex;
using daybook::SharedMutexLock;
using daybook::SharedMutexReadLock;

class Counter {
public:
    void add(int by) {
        const MutexLock lock{mutex_};
        add_under_lock(by);
    }
    int get() const {
        MutexLock lock{mutex_};
        int value = value_;
        lock.unlock();
#if defined(FAULT_ACCESS_AFTER_UNLOCK)
        value = value_;
#endif
        return value;
    }
    void set_name(char name) {
        const SharedMutexLock lock{name_mutex_};
        name_ = name;
    }
    char name() const {
        const SharedMutexReadLock lock{name_mutex_};
        return name_;
    }
#if defined(FAULT_READ_WITHOUT_LOCK)
    int peek() const { return value_; }
#elif defined(FAULT_CALL_WITHOUT_LOCK)
    void add_one() { add_under_lock(1); }
#elif defined(FAULT_WRITE_UNDER_READ_LOCK)
    void clear_name() {
        const SharedMutexReadLock lock{name_mutex_};
        name_ = ' ';
    }
#endif

private:
    void add_under_lock(int by) DAYBOOK_REQUIRES(mutex_) { value_ += by; }

    mutable Mutex mutex_;
    int value_ DAYBOOK_GUARDED_BY(mutex_) = 0;
    mutable SharedMutex name_mutex_;
    char name_ DAYBOOK_GUARDED_BY(name_mutex_) = ' ';
};

/// Keeps a lock as a member, which clang does not follow.
class Holder {
public:
    explicit Holder(Mutex& mutex) : mutex_(mutex), lock_(mutex) {}

    int get() const {
#if !defined(FAULT_HELD_BY_A_MEMBER)
        assert_held();
#endif
        return value_;
    }

private:
    void assert_held() const DAYBOOK_ASSERTS(mutex_) {}

    Mutex& mutex_;
    MutexLock lock_;
    int value_ DAYBOOK_GUARDED_BY(mutex_) = 1;
};

}  // namespace

int main() {
    Counter counter;
    counter.add(1);
    counter.set_name('a');
    Mutex mutex;
    return Holder{mutex}.get() == counter.get() && counter.name() == 'a' ? 0 : 1;
}
