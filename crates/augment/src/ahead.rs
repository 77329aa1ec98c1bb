//! Making things before they are asked for.

use std::fmt;
use std::iter::FusedIterator;
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{self, JoinHandle};

/// Runs `items` on a thread of its own, which keeps `depth` finished ones ready (and, while the consumer is busy, one more
/// in hand). What comes out is what `items` yields, in its order, errors included where its items are `Result`s.
///
/// A panic of `items` comes up in the consumer, in `next`, after all that was made before it. Dropping the
/// [`Ahead`] stops the thread once the item that it is at is finished, and waits for that.
///
/// ```
/// use wick_augment::ahead;
///
/// let batches = (0..5).map(|step| vec![step as f32; 4]); // something costly
/// let sum: f32 = ahead(2, batches).map(|batch| batch[0]).sum(); // consumed while the next ones are made
/// assert_eq!(sum, 10.0);
/// ```
pub fn ahead<T, I>(depth: usize, items: I) -> Ahead<T>
where
    T: Send + 'static,
    I: Iterator<Item = T> + Send + 'static,
{
    let (sender, receiver) = sync_channel(depth);
    let producer = thread::spawn(move || {
        for item in items {
            // The consumer is gone: nobody wants the rest.
            if sender.send(item).is_err() {
                break;
            }
        }
    });
    Ahead { receiver: Some(receiver), producer: Some(producer) }
}

/// The iterator that [`ahead`] returns.
pub struct Ahead<T> {
    receiver: Option<Receiver<T>>,
    producer: Option<JoinHandle<()>>,
}

impl<T> Iterator for Ahead<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        if let Ok(item) = self.receiver.as_ref()?.recv() {
            return Some(item);
        }
        // The producer has ended, by itself or by a panic.
        self.receiver = None;
        if let Some(Err(panic)) = self.producer.take().map(JoinHandle::join) {
            resume_unwind(panic);
        }
        None
    }
}

impl<T> FusedIterator for Ahead<T> {}

impl<T> Drop for Ahead<T> {
    fn drop(&mut self) {
        self.receiver = None; // before the join: a producer that waits for room must wake up
        if let Some(producer) = self.producer.take() {
            // A panic that nobody asked for any more is no reason to panic in a destructor.
            drop(producer.join());
        }
    }
}

impl<T> fmt::Debug for Ahead<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ahead").field("has_ended", &self.receiver.is_none()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn order_is_kept_at_any_depth() {
        for depth in [0, 1, 3, 100] {
            assert_eq!(ahead(depth, 0..50).collect::<Vec<_>>(), (0..50).collect::<Vec<_>>());
        }
        assert_eq!(ahead(2, std::iter::empty::<u8>()).next(), None);
    }

    #[test]
    fn errors_are_items_like_others() {
        let items = [Ok(1), Err("broken"), Ok(3)];
        assert_eq!(ahead(1, items.into_iter()).collect::<Vec<_>>(), items);
        assert_eq!(ahead(1, items.into_iter()).collect::<Result<Vec<_>, _>>(), Err("broken"));
    }

    #[test]
    fn a_panic_comes_up_after_what_was_made_before_it() {
        let items = (0..).map(|i| if i < 3 { i } else { panic!("item {i} is broken") });
        let mut ahead = ahead(1, items);
        assert_eq!(ahead.by_ref().take(3).collect::<Vec<i32>>(), [0, 1, 2]);
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| ahead.next()));
        assert_eq!(caught.unwrap_err().downcast_ref::<String>().unwrap(), "item 3 is broken");
        assert_eq!(ahead.next(), None);
    }

    #[test]
    fn no_more_is_made_than_fits_and_dropping_stops_it() {
        let made = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&made);
        let endless = std::iter::repeat_with(move || counter.fetch_add(1, Ordering::SeqCst));
        let mut ahead = ahead(3, endless);
        assert_eq!(ahead.next(), Some(0));
        drop(ahead); // returns only because the endless producer has stopped
        // One taken, three in the channel, one in hand, and one more if the drop came while that was made.
        assert!(made.load(Ordering::SeqCst) <= 6, "{made:?}");
        assert_eq!(Arc::strong_count(&made), 1, "the producer is gone");
    }

    #[test]
    fn dropping_swallows_a_panic_that_nobody_met() {
        drop(ahead(0, std::iter::repeat_with(|| -> u8 { panic!("late") })));
    }
}
